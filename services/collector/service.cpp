#include "services/collector/service.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "libs/disk_log/disk_log.hpp"
#include "libs/net/client.hpp"
#include "libs/net/routes.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/service/frame.hpp"
#include "libs/service/health.hpp"
#include "libs/service/heap.hpp"
#include "libs/service/log.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/collector/books/books.hpp"
#include "services/collector/delta_part.hpp"
#include "services/collector/exporters/exporter.hpp"
#include "services/collector/exporters/log_reader.hpp"
#include "services/collector/exporters/translation_settings.hpp"
#include "services/collector/health_report.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/limits.hpp"
#include "services/collector/memory_limiter/memory_limiter.hpp"
#include "services/collector/own_metrics.hpp"
#include "services/collector/receivers/otlp_receiver.hpp"
#include "services/collector/receivers/remote_write_receiver.hpp"
#include "services/collector/side/left_aside.hpp"
#include "services/collector/side/trace_shares.hpp"
#include "services/collector/tail_sampling/tail_sampler.hpp"

namespace vigia::collector {
namespace {

void report_skip(const disk_log::SkippedPassage& skipped) {
  service::log_error(
      "a passage of the disk log cannot be read; the exporter goes on behind it, the file is kept "
      "as .damaged",
      {{"exporter", skipped.cursor},
       {"file", skipped.path},
       {"from_byte", std::to_string(skipped.begin)},
       {"to_byte", std::to_string(skipped.end)},
       {"why", skipped.why}});
}

void report_cursors_lost(const std::string& path, const std::string& why) {
  service::log_error(
      "the file that says what was delivered is damaged: all that lies in the log is delivered "
      "once more, which costs time and no data; look at the disk (docs/deployment.md, \"Damaged "
      "files\")",
      {{"file", path}, {"why", why}});
}

void report_forgotten(std::string_view exporter, std::uint64_t bytes) {
  if (exporter == intake::kDeltasCursor) return;  // deltas are refused now
  service::log_warn(
      "an exporter is not configured any more; what waited for it is not kept for its sake",
      {{"exporter", std::string(exporter)}, {"bytes", std::to_string(bytes)}});
}

void report_clock_jump(const disk_log::ClockJump& jump) {
  using What = disk_log::ClockJump::What;
  const std::string seconds = fmt::format("{:.0f}", std::chrono::duration<double>(jump.by).count());
  if (jump.what == What::kIgnored) {
    service::log_warn("the wall clock has jumped; what waits in the disk log does not age by it",
                      {{"seconds", seconds}});
  } else if (jump.what == What::kWaiting) {
    service::log_warn(
        "the wall clock is far from the newest record of the disk log; max_age goes by that record "
        "for an hour, then by the clock: set it right if it is wrong",
        {{"seconds", seconds}});
  } else {
    service::log_warn("the wall clock is believed now: what waits in the disk log is older by this",
                      {{"seconds", seconds}});
  }
}

/// One of all doors together. A customer alone may have 2/3 × 7/8 of the bodies' bytes, so the
/// largest body fits into twice its size. Answers, of some bytes each, have what heads have.
std::shared_ptr<net::ServerBudgets> make_budgets(const Settings& settings) {
  const net::ServerSettings standard;
  std::size_t body_bytes_max = 0;
  for (const receivers::ReceiverSettings& door : settings.receivers) {
    body_bytes_max = std::max(body_bytes_max, door.body_bytes_max);
  }
  std::size_t heads = standard.head_bytes_max;
  std::size_t bodies = standard.buffered_bytes_max;
  if (const std::uint64_t limit = settings.processors.memory_limiter.limit_bytes; limit > 0) {
    heads = std::clamp<std::size_t>(limit / kHeadParts, kHeadBytesMin, heads);
    bodies = std::min<std::size_t>(bodies, limit / kBodyParts);
  }
  return std::make_shared<net::ServerBudgets>(standard.connections_max, heads,
                                              std::max(bodies, 2 * body_bytes_max),
                                              standard.header_bytes_max, heads);
}

/// Of all exporters to one host: who hangs until his timeout must not take all of them.
constexpr std::size_t kConnectionsPerHostMax = 512;

std::vector<exporters::ExporterSettings> settings_of(
    const std::vector<exporters::ConfiguredExporter>& configured) {
  std::vector<exporters::ExporterSettings> settings;
  for (const exporters::ConfiguredExporter& exporter : configured)
    settings.push_back(exporter.settings);
  return settings;
}

class RunningCollector final : public CollectorService {
 public:
  explicit RunningCollector(Settings settings)
      : settings_(std::move(settings)),
        client_(net::Client::create({.connections_per_host_max = kConnectionsPerHostMax})),
        books_(metrics_),
        series_({.bytes_max = settings_.processors.memory_limiter.series_cache_bytes}, clock_),
        budgets_(make_budgets(settings_)),
        memory_(settings_.processors.memory_limiter.limit_bytes, *budgets_) {}

  ~RunningCollector() override {
    stop(clock_.steady());
    frame_.hide_metrics();  // they read the log, whose last words go to intake and the doors
    exporters_.clear();
    sampler_.reset();
    memory_.let_go_by({});
    log_.reset();
  }

  Result<void> begin() {
    for (const std::string& note : settings_.notes) service::log_warn(note);
    if (auto opened = open_directory(); !opened) return opened;
    // The order of data backwards: whoever takes something over is there before whoever gives it.
    // The doors come last, and a start that fails has acknowledged nothing.
    if (auto opened = open_sampler(); !opened) return opened;
    if (auto opened = open_log(); !opened) return opened;
    if (auto started = start_exporters(); !started) return started;
    start_sampler();
    if (auto opened = open_doors(); !opened) return opened;
    return open_own_ports();
  }

  void stop(TimePoint deadline) noexcept override {
    is_ready_ = false;
    // The doors first: what they still take is in the log, and the exporters may send it.
    frame_.stop(deadline);
    if (sampler_) sampler_->stop();
    if (intake_) intake_->stop();
    for (const auto& exporter : exporters_) exporter->stop(deadline);
    frame_.end(deadline);
  }

  std::vector<std::string> addresses() const override {
    std::vector<std::string> addresses;
    for (std::size_t door = 0; door < frame_.doors(); ++door)
      addresses.push_back(frame_.address(door));
    return addresses;
  }
  std::string metrics_address() const override { return frame_.metrics_address(); }

 private:
  std::function<std::shared_ptr<const tenancy::Directory>()> directory() {
    return [this] { return directory_->current(); };
  }

  Result<void> open_directory() {
    auto source = tenancy::DirectorySource::start(settings_.directory, *client_);
    if (!source) return forward(source);
    directory_ = *std::move(source);
    if (const auto known = directory_->current()) {
      for (const std::string& doubt : exporters::routing_doubts(exporter_settings_, *known))
        service::log_warn(doubt);
    }
    return {};
  }

  std::size_t pending_bytes_max(std::size_t usual) const {
    const std::uint64_t limit = settings_.processors.memory_limiter.limit_bytes;
    return limit == 0 ? usual
                      : std::clamp<std::size_t>(limit / kPendingParts, kPendingBytesMin, usual);
  }

  bool samples_traces() const { return !settings_.processors.tail_sampling.empty(); }
  /// Of the disk's share that the log of spans has which wait for a verdict.
  std::uint64_t waiting_bytes() const {
    return samples_traces() ? settings_.storage.bytes_max / kWaitingLogParts : 0;
  }

  /// Also where spans wait from a time when the file had the processor: they were acknowledged.
  Result<void> open_sampler() {
    const StorageSettings& storage = settings_.storage;
    if (!samples_traces() && !tail_sampling::TailSampler::has_waiting(storage.directory)) return {};
    tail_sampling::TailSamplerParts parts{books_, metrics_, clock_, &time_, trace_shares_, {}};
    for (const exporters::ExporterSettings& exporter : exporter_settings_) {
      if (exporters::Routing(exporter).takes(Signal::kTraces, ""))
        parts.exporters.push_back(exporter.id);
    }
    const std::uint64_t bytes_max = storage.bytes_max / kWaitingLogParts;
    auto opened = tail_sampling::TailSampler::open(
        samples_traces() ? settings_.processors.tail_sampling.begin()->second
                         : tail_sampling::keep_all(),
        {storage.directory, bytes_max, std::min(storage.segment_bytes, bytes_max / kSegmentsMin),
         storage.customer_share, pending_bytes_max(disk_log::DiskLogSettings{}.pending_bytes_max)},
        std::move(parts));
    if (!opened) return forward(opened);
    sampler_ = *std::move(opened);
    return {};
  }

  void start_sampler() {
    if (!sampler_) return;
    sampler_->begin(*log_);
    sampler_->start();
  }

  Result<void> open_log() {
    disk_log::DiskLogSettings log;
    log.directory = settings_.storage.directory;
    log.bytes_max = settings_.storage.bytes_max - waiting_bytes();
    log.segment_bytes = settings_.storage.segment_bytes;
    log.owner_share = settings_.storage.customer_share;
    log.owner_word = "customer";
    log.sync_gap = kSyncGap;
    log.pending_bytes_max = pending_bytes_max(log.pending_bytes_max);
    log.recent_bytes_max = recent_bytes_max(settings_.processors.memory_limiter.limit_bytes);
    for (const exporters::ExporterSettings& exporter : exporter_settings_) {
      log.cursors.push_back(exporters::cursor_settings(exporter));
    }
    add_deltas_cursor(settings_, log.cursors);
    disk_log::DiskLogEvents events = exporters::counting_events(exporter_settings_, books_);
    events.on_queued = [this, count = std::move(events.on_queued)](
                           const disk_log::RecordHeader& header, std::string_view cursor) {
      // The newest stamp in the log bounds how far back our clock may be.
      newest_record_ms_ = std::max(newest_record_ms_, header.received_ms);
      if (sampler_) sampler_->note_moved(header);
      count(header, cursor);
    };
    events.on_forgotten = report_forgotten;
    events.on_cursors_lost = report_cursors_lost;
    events.on_skip = report_skip;
    events.on_clock_jump = report_clock_jump;
    auto opened = disk_log::DiskLog::open(std::move(log), clock_, std::move(events));
    if (!opened) return forward(opened);
    log_ = *std::move(opened);
    memory_.let_go_by([this] { log_->let_go_of_recent(); });
    time_.resume(newest_record_ms_);
    return {};
  }

  Result<void> start_exporters() {
    auto id = marks::collector_id(settings_.storage.directory);
    if (!id) return forward(id);
    show_id(*id);
    tell_what_is_left_aside();
    // Reserved: what must go aside before a segment of a full log can go, and the window in hand.
    const exporters::ExporterParts parts{
        *log_,
        *client_,
        series_,
        directory(),
        books_,
        metrics_,
        clock_,
        time_,
        settings_.storage.directory,
        std::move(id->text),
        &side_shares_,
        settings_.storage.segment_bytes + exporters::LogReader::kWindowBytesMax,
        exporters::judging_translation(exporter_settings_),
        &shared_};
    for (const exporters::ConfiguredExporter& exporter : settings_.exporters) {
      auto made = exporter.make(exporter.settings, parts);
      if (!made) return forward(made);
      exporters_.push_back(*std::move(made));
      if (auto started = exporters_.back()->start(); !started) return started;
    }
    return {};
  }

  /// Nobody sends it: as old as it is, which DeliveryLate sees.
  void tell_what_is_left_aside() {
    std::vector<std::string> known;
    for (const exporters::ExporterSettings& exporter : exporter_settings_)
      known.push_back(exporter.id);
    auto left = side::find_left_aside(settings_.storage.directory, known);
    if (!left) {
      service::log_warn("what lies aside of exporters that are gone is not known",
                        {{"why", left.error().message}});
      return;
    }
    for (const side::LeftAside& one : *left) {
      service::log_warn(
          "acknowledged data lies aside of an exporter that is not configured, and nobody sends "
          "it: "
          "give an exporter that id again, or remove the folder",
          {{"folder", side::side_folder(settings_.storage.directory, one.exporter)},
           {"exporter", one.exporter},
           {"customers", std::to_string(one.customers)},
           {"items", std::to_string(one.items)},
           {"bytes", std::to_string(one.bytes)},
           {"unreadable_files", std::to_string(one.unreadable)}});
    }
    metrics_.on_collect([this, left = *std::move(left)](const auto& emit) {
      for (const side::LeftAside& one : left) {
        // Looked at each time: a person may have removed the folder since.
        if (!side::is_left_aside(settings_.storage.directory, one.exporter)) continue;
        const service::MetricLabels labels{{"exporter", one.exporter}};
        emit("vigia_exporter_side_items", "Items set aside", service::MetricType::kGauge, labels,
             static_cast<double>(one.items));
        if (one.oldest_received_ms == 0) continue;
        emit("vigia_exporter_oldest_waiting_seconds",
             "Age of the oldest data that waits for the destination", service::MetricType::kGauge,
             labels, static_cast<double>(clock_.wall_ms() - one.oldest_received_ms) / 1e3);
      }
    });
  }

  void show_id(const marks::CollectorId& id) {
    metrics_.on_collect([is_new = id.is_new, damaged = id.damaged](const auto& emit) {
      emit("vigia_collector_id_damaged",
           "Files of this collector's id that the start found damaged", service::MetricType::kGauge,
           {}, damaged);
      emit("vigia_collector_id_is_new", "1 where the start has made a new id",
           service::MetricType::kGauge, {}, is_new ? 1 : 0);
    });
  }

  Result<void> open_doors() {
    intake::IntakeSettings intake;
    intake.translation = exporters::judging_translation(exporter_settings_);
    intake.fills_missing_customer = settings_.fills_missing_customer;
    intake.collectors = settings_.collectors;
    intake.newest_record_ms = newest_record_ms_;
    intake.deltas = delta_settings(settings_);
    intake_ = std::make_unique<intake::Intake>(
        exporter_settings_, intake,
        intake::IntakeParts{log_.get(), series_, directory(), books_, metrics_, clock_,
                            &side_shares_, &time_,
                            samples_traces() ? &sampler_->waiting_log() : nullptr, &trace_shares_,
                            disk_log::system_files(), [this] { return memory_.is_short(); }},
        parts::make_stages(settings_.stages));
    if (auto started = intake_->start(); !started) return started;
    door_ = std::make_unique<receivers::CustomerDoor>(receivers::CustomerDoor::Parts{
        directory(), clock_, [this] { return memory_.is_short(); }, metrics_});
    remote_write_ = std::make_unique<receivers::RemoteWriteReceiver>(
        receivers::RemoteWriteReceiver::Parts{*intake_, *door_});
    for (const receivers::ReceiverSettings& door : settings_.receivers) {
      net::ServerSettings server;
      server.name = fmt::format("collector {} {}", door.id, door.protocol);
      server.listen = door.endpoint;
      server.body_bytes_max = door.body_bytes_max;
      server.tls = door.tls;
      server.trusted_proxies = door.trusted_proxies;
      server.budgets = budgets_;
      if (!door.is_remote_write)
        otlp_.push_back(std::make_unique<receivers::OtlpReceiver>(
            receivers::OtlpReceiver::Parts{*intake_, *door_, door.paths}));
      net::Handler& handler = door.is_remote_write ? static_cast<net::Handler&>(*remote_write_)
                                                   : static_cast<net::Handler&>(*otlp_.back());
      const auto opened = frame_.open(std::move(server), handler);
      if (!opened) return forward(opened);
      service::log_info(
          "listening", {{"for", door.id + " " + door.protocol}, {"address", (*opened)->address()}});
    }
    return {};
  }

  HealthReport health() const {
    HealthReport report;
    report.is_ready = is_ready_;
    if (!is_ready_) return report;
    if (log_->stats().is_full || (samples_traces() && sampler_->waiting_log().stats().is_full))
      report.reasons.push_back({"disk", "the disk, or the log up to bytes_max, is full", true});
    if (memory_.is_short())
      report.reasons.push_back(
          {"memory", "only small requests are taken, for want of memory", true});
    else if (memory_.is_over())
      report.reasons.push_back({"memory", "whoever holds the most memory is refused"});
    if (const std::string detail = directory_detail(); !detail.empty())
      report.reasons.push_back({"directory", detail, directory_->current() == nullptr});
    if (intake_->is_clock_in_doubt())
      report.reasons.push_back({"clock", "our clock is in doubt: what is ahead of it is refused"});
    for (std::size_t i = 0; i < exporters_.size(); ++i) {
      const auto failing = exporters_[i]->failing();
      if (!failing) continue;
      std::string text = failing_text(exporter_settings_[i].id, *failing, clock_.steady());
      if (!text.empty()) report.reasons.push_back({"exporter", std::move(text)});
    }
    return report;
  }

  std::string directory_detail() const {
    if (directory_->current() == nullptr)
      return "customers and tokens are not known: all is refused";
    if (directory_->is_doubted()) {
      return "the monitor's customers are doubted: the last good ones are in force, see the log";
    }
    if (!directory_->is_stale()) return "";
    return fmt::format("customers and tokens are {:.0f} s old: what was revoked since is not known",
                       directory_->age_seconds());
  }

  books::Books::StockParts stock_parts() const {
    books::Books::StockParts parts;
    parts.processors = settings_.processor_ids;
    for (const std::string& id : settings_.processor_ids) {
      const std::string_view type = config::part_type(id);
      if (type == "filter" || type.ends_with("_sampler") || type == "tail_sampling")
        parts.dropping = id;
    }
    for (const exporters::ExporterSettings& exporter : exporter_settings_)
      parts.exporters.emplace_back(exporter.id, exporter.signals);
    return parts;
  }

  Result<void> open_own_ports() {
    books_.know_parts(stock_parts());
    show_own_metrics(metrics_, OwnParts{*log_, settings_.storage.bytes_max, series_, *directory_,
                                        memory_, frame_, *budgets_});
    metrics_.on_collect([this](const service::MetricRegistry::Emit& emit) {
      emit("vigia_clock_unconfirmed",
           "1 while nobody has shown that our wall clock is right: our own samples are of the "
           "steady clock, or not written at all",
           service::MetricType::kGauge, {}, time_.is_confirmed() ? 0 : 1);
    });
    if (auto shown = frame_.show_metrics(settings_.metrics_endpoint); !shown) return shown;
    is_ready_ = true;
    if (settings_.health_endpoint.empty()) return {};
    service::add_health_routes(health_routes_, [this] { return is_ready_.load(); });
    health_routes_.add("GET", settings_.health_path,
                       [this](net::Request, const net::PathValues&, net::Responder responder) {
                         net::Response response;
                         const HealthReport report = health();
                         response.status = report.status();
                         response.headers.add("content-type", "application/json");
                         response.body = report.json();
                         responder.send(std::move(response));
                       });
    net::ServerSettings server;
    server.name = "collector health";
    server.listen = settings_.health_endpoint;
    server.tls = settings_.health_tls;
    server.loops = 1;
    server.connections_max = 100;
    const auto opened = frame_.open_until_end(std::move(server), health_routes_);
    if (!opened) return forward(opened);
    return {};
  }

  // In the order of their start; what refers to a part stands below it.
  Settings settings_;
  std::vector<exporters::ExporterSettings> exporter_settings_ = settings_of(settings_.exporters);
  SystemClock clock_;
  clock::ConfirmedTime time_{clock_};
  service::MetricRegistry metrics_;
  std::unique_ptr<net::Client> client_;
  books::Books books_;
  series::SeriesCache series_;
  std::shared_ptr<net::ServerBudgets> budgets_;  // shared with the doors
  memory_limiter::MemoryLimiter memory_;
  std::unique_ptr<tenancy::DirectorySource> directory_;
  std::int64_t newest_record_ms_ = 0;  // of those that waited at the start
  std::unique_ptr<disk_log::DiskLog> log_;
  side::SideShares side_shares_;
  side::TraceShares trace_shares_;
  std::unique_ptr<tail_sampling::TailSampler> sampler_;
  delivery::SharedWork shared_;
  std::vector<std::unique_ptr<exporters::Exporter>> exporters_;
  std::unique_ptr<intake::Intake> intake_;
  std::unique_ptr<receivers::CustomerDoor> door_;
  std::vector<std::unique_ptr<receivers::OtlpReceiver>> otlp_;  // one a door
  std::unique_ptr<receivers::RemoteWriteReceiver> remote_write_;
  std::atomic<bool> is_ready_{false};
  net::Routes health_routes_;
  service::ServiceFrame frame_{metrics_};
};

}  // namespace

Result<std::unique_ptr<CollectorService>> CollectorService::start(Settings settings) {
  auto collector = std::make_unique<RunningCollector>(std::move(settings));
  if (auto begun = collector->begin(); !begun) return forward(begun);
  return collector;
}

Result<std::unique_ptr<service::Running>> start(Settings settings) {
  service::keep_freed_pages(settings.processors.memory_limiter.limit_bytes);
  auto started = CollectorService::start(std::move(settings));
  if (!started) return forward(started);
  return *std::move(started);
}

service::ProgramDescription describe_program() {
  return service::describe_service(
      "vigia-collector",
      "Takes OTLP from customers' nodes, checks it, makes it durable, and hands it to the stores.",
      settings_help(), read_settings, start);
}

}  // namespace vigia::collector
