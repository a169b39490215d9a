#include "services/storage/service.hpp"

#include <algorithm>

#include "libs/base/random.hpp"
#include "libs/net/status.hpp"
#include "libs/service/log.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/backfill_command.hpp"
#include "services/storage/copy_command.hpp"
#include "services/storage/delete_command.hpp"
#include "services/storage/heads/restored_chunks.hpp"
#include "services/storage/inspect_command.hpp"
#include "services/storage/store/patience.hpp"
#include "services/storage/verify_command.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kWriteJobsMax = 256;
constexpr std::size_t kReadJobsMax = 64;
// Parts of memory_max. What is not given out here is the cache's, the write buffers', the open
// series' and the allocator's.
constexpr std::uint64_t kBodiesPart = 8;  // being received, by the server
constexpr std::uint64_t kWritesPart =
    16;  // samples, and as much again spans and log records: bodies
constexpr std::uint64_t kPendingPart = 8;  // samples on their way to the heads
constexpr std::uint64_t kLatePart = 32;    // of them, those that wait for the store
constexpr std::uint64_t kAnswersPart = 4;
constexpr std::uint64_t kHeadEighths = 3;  // open series
constexpr std::uint64_t kClosedPart = 32;  // closed chunks that wait for the store
constexpr std::uint64_t kIndexPart = 16;   // what is known of series without asking the store
constexpr std::size_t kReadBytesMax = 16U << 20U;
constexpr std::size_t kEventThreads = 2;
constexpr std::size_t kReadThreads = 4;
// What is received and acknowledged goes before what is looked for: a third of a core's time where
// all of them want it.
constexpr int kReadNice = 5;

// Of one customer's reads at once: on a small machine not all cores, which the others need to
// write.
std::size_t customer_read_threads() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, kReadThreads / 2);
}
std::size_t write_threads() { return std::clamp(std::thread::hardware_concurrency(), 2U, 8U); }

}  // namespace

Result<std::unique_ptr<Service>> Service::start(const Settings& settings,
                                                std::span<const StoreKind> kinds) {
  auto service = std::make_unique<Service>(Key{}, settings);
  const auto kind = find_store_kind(settings.store.kind, kinds);
  if (!kind) return forward(kind);
  if (auto listening = service->listen(); !listening) return forward(listening);
  if (auto opened = service->open(**kind); !opened) return forward(opened);
  service->add_routes();
  service->add_metrics();
  service->is_open_ = true;
  service::log_info("listening", {{"address", service->address()}});
  return service;
}

// Before the store is opened: a start may wait for room on the disk for hours, and who asks is told
// so.
Result<void> Service::listen() {
  registry_.on_collect([](const service::MetricRegistry::Emit& emit) {
    emit("vigia_storage_start_waits", "1 while the start waits: its log says for what.",
         service::MetricType::kGauge, {}, store::is_start_waiting ? 1.0 : 0.0);
  });
  if (auto shown = frame_.show_metrics(settings_.metrics_listen); !shown) return shown;
  const Settings& settings = settings_;
  net::ServerSettings server;
  server.name = "storage";
  server.listen = settings.listen;
  server.tls = settings.tls;
  server.buffered_bytes_max = settings.memory_max / kBodiesPart;
  // Its clients are routers, each with many customers' answers on a connection, and those have
  // shares of their own (kAnswersPart).
  server.answer_bytes_max = settings.memory_max;
  server.unread_bytes_max = settings.memory_max;
  auto opened = frame_.open(std::move(server), *this);
  if (!opened) return forward(opened);
  return {};
}

// A word and no more: what is waited for is the log's to say, who asks here shows no token.
void Service::answer_early(net::Request request, net::Responder responder) {
  const service::HealthPaths paths;
  if (request.method != "GET" || !paths.contain(request.path)) {
    return responder.send(refuse(
        request,
        {ErrorCode::kUnavailable, "storage is starting, try again", std::chrono::seconds(1)}));
  }
  net::Response response;
  response.status = request.path == paths.health ? 200 : 503;
  response.headers.add("content-type", "application/json");
  response.headers.add("cache-control", "no-store");
  response.body = store::is_start_waiting ? R"({"status":"waiting"})" : R"({"status":"starting"})";
  responder.send(std::move(response));
}

// An empty folder in a store's place is waited for like what passes: its disk may be mounted yet,
// or a person says that it is to be begun anew.
Result<void> Service::open_store(const StoreKind& kind) {
  identity::StoreGuardSettings guarded = settings_.guard;
  guarded.directory = directory_;
  identity::StoreGuard guard(std::move(guarded), disk_log::system_files(), clock_);
  auto checked = store::patiently("the cold store's folder", [&guard] { return guard.check(); });
  if (!checked) return checked;
  auto opened = kind.open(settings_.store, clock_, settings_.memory_max / kIndexPart);
  if (!opened) return forward(opened);
  instance_ = *std::move(opened);
  identity_ = guard.settle(clock_.wall_ms());
  return instance_->load();
}

Result<void> Service::open(const StoreKind& kind) {
  directory_ = kind.directory(settings_.store);
  if (auto opened = open_store(kind); !opened) return opened;
  if (auto opened = open_rollup_book(); !opened) return opened;
  if (auto opened = open_classes(); !opened) return opened;
  use_times();
  quarantine_ = std::make_unique<quarantine::ChunkQuarantine>(
      quarantine::QuarantineSettings{directory_ + "/quarantine/chunks"}, disk_log::system_files(),
      clock_);
  stored_series_ = std::make_unique<heads::StoredSeries>(cold().chunks(), instance_->numbers(),
                                                         &cold().catalog(), quarantine_.get());
  const heads::RestoreCounts restored = heads::restore_chunks(*quarantine_, *stored_series_);
  heads_ = std::make_unique<heads::HeadSet>(
      *stored_series_, clock_,
      heads::HeadSet::Memory{settings_.memory_max / 8 * kHeadEighths,
                             settings_.memory_max / kClosedPart,
                             heads::ClosedGathering{instance_->gathers_chunks()}},
      &past_writes_);
  if (auto opened = open_copies(); !opened) return opened;
  if (auto opened = open_ingester(); !opened) return opened;
  instance_->note_used(std::max(restored.series_max, ingester_->replayed_series_max()),
                       std::max(restored.customer_max, ingester_->replayed_customer_max()));
  instance_->start_upkeep();
  checkpoints_ = std::make_unique<keep::Checkpoints>(settings_.checkpoints, directory_, *instance_,
                                                     disk_log::system_files(), clock_);
  make_interfaces();
  guard_ = std::make_unique<lanes::MemoryGuard>(settings_.memory_max,
                                                [this](bool is_short) { set_short(is_short); });
  if (auto started = start_retention(); !started) return started;
  damage_notice_ = std::make_unique<disk_log::DamageNotice>(directory_ + "/vigia-damage-found",
                                                            disk_log::system_files(), clock_);
  damage_notice_->recover();
  (void)is_damage_recent();  // what the start has found is remembered before anybody asks
  if (open_rows_ != nullptr) {
    take_over_ = std::make_unique<ingest::TakeOver>(*open_rows_, *ingester_, instance_->numbers());
  }
  start_healing();
  return {};
}

// Before the log is replayed, which may take longer than others wait for a sign of life.
Result<void> Service::open_copies() {
  const std::uint64_t own =
      identity_ ? std::stoull(identity_->id, nullptr, 16) : random_u64();  // none: a full disk
  auto rows = instance_->open_rows(own);
  if (!rows) return forward(rows);
  open_rows_ = *rows;
  if (open_rows_ != nullptr) {
    open_copies_ = std::make_unique<ingest::OpenCopies>(*open_rows_, instance_->numbers());
  }
  return {};
}

Result<void> Service::open_ingester() {
  ingest::IngesterSettings ingest = settings_.ingest;
  ingest.log_directory = directory_ + "/wal";
  ingest.pending_bytes_max = settings_.memory_max / kPendingPart;
  ingest.late_bytes_max = settings_.memory_max / kLatePart;
  auto ingester = ingest::Ingester::open(
      std::move(ingest), {*heads_, cold().chunks(), times_, clock_, open_copies_.get()});
  if (!ingester) return forward(ingester);
  ingester_ = std::move(*ingester);
  return {};
}

bool Service::is_ready() const { return instance_->is_writable() && ingester_->is_taking(); }

void Service::make_interfaces() {
  reader_ = std::make_unique<read::SeriesReader>(*heads_, cold().chunks());
  answers_ = std::make_unique<lanes::CustomerShares>("answers under way",
                                                     settings_.memory_max / kAnswersPart);
  const auto kept_from = [this](retention::DataKind kind) {
    return [this, kind](const CustomerId& customer) { return kept_from_ms(customer, kind); };
  };
  remote_read_ =
      std::make_unique<read::RemoteRead>(cold().catalog(), *reader_, read::ReadLimits(), *answers_,
                                         [this](const CustomerId& customer, Resolution resolution) {
                                           return samples_kept_from_ms(customer, resolution);
                                         });
  start_peers();
  books_ = std::make_unique<api::WriteBooks>(registry_);
  make_keepers();
  write_api_ = std::make_unique<api::WriteApi>(
      api::WriteParts{cold().catalog(), exemplars_.get(), metadata_.get(), instance_->numbers(),
                      *ingester_, *books_,
                      [this](const CustomerId& customer, Task<void()> more) {
                        return sample_writers_->go_on(customer.text(), std::move(more));
                      }},
      [this] { return write_times(); });
  read_api_ = std::make_unique<api::ReadApi>(*remote_read_);
  const auto unsaved_files = [this] { return instance_->damage().unsaved_files; };
  const auto lacks_index = [this](std::string_view customer) {
    return instance_->lacks_rows_of(customer);
  };
  gaps_ = api::AnswerGaps(unsaved_files, lacks_index,
                          [this](std::string_view customer) { return lacks_chunks_of(customer); });
  label_api_ = std::make_unique<api::LabelApi>(
      cold().catalog(), *answers_, gaps_,
      [this](const CustomerId& customer) { return kept_from_ms(longest_keep_of(customer)); });
  exemplar_api_ = std::make_unique<api::ExemplarApi>(
      cold().exemplars(), cold().catalog(), *answers_, gaps_, kept_from(retention::DataKind::kRaw));
  metadata_api_ = std::make_unique<api::MetadataApi>(
      cold().metadata(), cold().catalog(), *answers_, gaps_,
      [this](const CustomerId& customer) { return metadata_noted_from_ms(customer); });
  trace_intake_ = std::make_unique<api::OtlpApi>(cold().events(), registry_, Signal::kTraces);
  log_intake_ = std::make_unique<api::OtlpApi>(cold().events(), registry_, Signal::kLogs);
  // Chunks are of samples: no span and no log record is missing for them.
  event_api_ = std::make_unique<api::EventApi>(
      cold().events(), cold().catalog(), *answers_, api::AnswerGaps(unsaved_files, lacks_index),
      api::EventsKept{kept_from(retention::DataKind::kTraces),
                      kept_from(retention::DataKind::kLogs)});
  trace_search_ = std::make_unique<api::TraceSearchApi>(
      cold().events(), cold().catalog(), *answers_, api::AnswerGaps(unsaved_files, lacks_index),
      kept_from(retention::DataKind::kTraces));
  sample_writers_ = std::make_unique<lanes::CustomerLanes>(
      lanes::LaneSettings{"samples", write_threads(), write_threads() - 1, kWriteJobsMax,
                          settings_.memory_max / kWritesPart});
  event_writers_ = std::make_unique<lanes::CustomerLanes>(
      lanes::LaneSettings{"spans and log records", kEventThreads, 1, kWriteJobsMax,
                          settings_.memory_max / kWritesPart});
  readers_ = std::make_unique<lanes::CustomerLanes>(lanes::LaneSettings{
      "reads", kReadThreads, customer_read_threads(), kReadJobsMax, kReadBytesMax, kReadNice});
}

// One who reads is told of his own chunks alone; whoever reads of all, of anybody's.
bool Service::lacks_chunks_of(std::string_view customer) const {
  const auto owners = quarantine_->owners();
  return std::any_of(owners.begin(), owners.end(), [&](customers::CustomerNumber owner) {
    const auto id = instance_->numbers().id_of(owner);
    return customer.empty() || (id && id->text() == customer);
  });
}

void Service::set_short(bool is_short) {
  if (is_short) service::log_warn("memory is short: whoever holds most is refused for now");
  ingester_->set_short(is_short);
  heads_->set_short(is_short);
  instance_->set_short(is_short);
  answers_->set_short(is_short);
  if (metadata_ != nullptr) metadata_->set_short(is_short);
  for (lanes::CustomerLanes* lanes :
       {sample_writers_.get(), event_writers_.get(), readers_.get()}) {
    lanes->set_short(is_short);
  }
}

Service::~Service() { stop(clock_.steady()); }

void Service::stop(TimePoint deadline) noexcept {
  // Nothing waits for a cluster longer than for clients: the log has what is not stored yet.
  if (instance_ != nullptr) instance_->end_requests_by(deadline);
  frame_.stop(deadline);
  for (lanes::CustomerLanes* lanes :
       {sample_writers_.get(), event_writers_.get(), readers_.get(), peer_readers_.get()}) {
    if (lanes != nullptr) lanes->stop(deadline);
  }
  // Both write. They stay: their numbers may be read until the frame ends, and by who waits past
  // the deadline.
  if (take_over_ != nullptr) take_over_->stop();
  if (healer_ != nullptr) healer_->stop();
  if (ingester_ != nullptr) ingester_->stop();
  // Behind what hands them more: samples, and then metadata.
  if (metadata_ != nullptr) metadata_->stop();
  if (exemplars_ != nullptr) exemplars_->stop();
}

std::optional<net::Response> Service::admit(net::RequestHead& head) {
  if (service::HealthPaths().contain(head.path)) return std::nullopt;
  if (!internal_token_.is_shown_by(head)) {
    return refuse(head, {ErrorCode::kUnauthenticated, "the internal token is missing or wrong"});
  }
  // What is nobody's alone, such as remote write of many, counts for the program that sends it.
  const std::string_view customer = head.headers.get(api::kCustomerHeader);
  if (!customer.empty()) head.owner = customer;
  const bool is_write = head.method == "POST" && head.path == "/api/v1/write";
  return is_write ? api::WriteApi::admit(head.headers) : std::nullopt;
}

bool Service::reads_coding(const net::RequestHead& head, std::string_view coding) const {
  // Remote write and remote read use snappy's block format, which their parsers bound and read.
  return coding == "snappy" && (head.path == "/api/v1/write" || head.path == "/api/v1/read");
}

void Service::handle(net::Request request, net::Responder responder) {
  if (!is_open_) return answer_early(std::move(request), std::move(responder));
  routes_.handle(std::move(request), std::move(responder));
}

net::Response Service::refuse(const net::RequestHead& head, const Error& error) {
  const bool is_otlp = head.transport == net::Transport::kGrpc || head.path.starts_with("/v1/");
  if (is_otlp) return net::otlp_error(head, error);
  return net::prometheus_error(error);
}

Result<std::unique_ptr<service::Running>> start(Settings settings) {
  auto service = Service::start(settings);
  if (!service) return forward(service);
  return *std::move(service);
}

service::ProgramDescription describe_program() {
  auto program = service::describe_service(
      "vigia-storage", "Keeps metrics, traces and logs for years and gives them back.",
      settings_help() + service::commands_help("vigia-storage", commands()), read_settings, start);
  program.check = [](const service::ConfigFile& file) -> Result<void> {
    const auto settings = read_settings(file);
    return settings ? retention::check_customers(settings->classes) : forward(settings);
  };
  return program;
}

std::span<const service::ProgramCommand> commands() {
  static constexpr service::CommandOption kVerifyOptions[] = {service::kConfigOption};
  static constexpr service::ProgramCommand kCommands[] = {
      {"verify", "Reads the files of the stopped store and says what is damaged; changes nothing.",
       kVerifyOptions, verify},
      {"inspect",
       "Says what lies in the folder of a stopped store, or writes it out; changes nothing.",
       kInspectOptions, inspect, kInspectDetails},
      {"copy", "Copies what a stopped store holds into another one, and compares both.",
       kCopyOptions, copy, kCopyDetails},
      {"delete", "Takes a customer out of a stopped store, and proves that nothing is left.",
       kDeleteOptions, delete_customer, kDeleteDetails},
      {"backfill", "Brings what a Prometheus has into the store that runs.", kBackfillOptions,
       backfill, kBackfillDetails},
  };
  return kCommands;
}

}  // namespace vigia::storage
