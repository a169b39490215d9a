#include "services/collector/exporters/log_exporter.hpp"

#include <map>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/service/log.hpp"

namespace vigia::collector {
namespace {

constexpr auto kIdleWait = std::chrono::milliseconds(250);
/// How long a window stays open after its first record: few requests at little traffic.
constexpr auto kLinger = std::chrono::milliseconds(50);
constexpr auto kQueueShowInterval = std::chrono::seconds(1);
constexpr auto kReadRetry = std::chrono::milliseconds(500);
constexpr std::size_t kBodyBytesMax = 64U << 20U;  // as intake's limit
/// Records in flight at intake may be stamped a little before those that are on disk already.
constexpr std::int64_t kCompleteMarginMs = 2000;

const std::vector<double>& duration_bounds() {
  static const std::vector<double> bounds{1,   2,    5,    10,   25,    50,    100,  250,
                                          500, 1000, 2500, 5000, 10000, 30000, 60000};
  return bounds;
}

Result<std::string> plain_body(pipeline::DiskRecord& record) {
  switch (record.header.encoding) {
    case pipeline::BodyEncoding::kPlain:
      return std::move(record.body);
    case pipeline::BodyEncoding::kGzip:
      return net::decompress("gzip", record.body, kBodyBytesMax);
    case pipeline::BodyEncoding::kZstd:
      return net::decompress("zstd", record.body, kBodyBytesMax);
    case pipeline::BodyEncoding::kSnappy:
      break;
  }
  return fail(ErrorCode::kCorrupt, "a body in an encoding that no OTLP sender uses");
}

}  // namespace

LogExporter::LogExporter(const ExporterSettings& settings, const ExporterParts& parts)
    : settings_(settings),
      parts_(parts),
      cursor_(parts.log.cursor(settings.id)),
      send_duration_(parts.metrics.histogram("otelcol_processor_batch_batch_send_duration",
                                             "Milliseconds that a request took, answer included",
                                             duration_bounds(), {{"exporter", settings.id}})),
      routing_(settings),
      queue_size_(parts.metrics.gauge("otelcol_exporter_queue_size",
                                      "Batches in the disk log that wait for this exporter",
                                      {{"exporter", settings.id}})) {}

// Whoever derives has called stop in its own destructor: the thread uses what it overrides.
LogExporter::~LogExporter() = default;

Result<void> LogExporter::start() {
  show_queue();
  thread_ = std::thread([this] { run(); });
  return {};
}

void LogExporter::stop(TimePoint deadline) noexcept {
  is_stopping_ = true;
  cursor_.interrupt();
  wake(deadline);
  if (thread_.joinable()) thread_.join();
}

void LogExporter::run() {
  while (!is_stopping_) {
    const std::int64_t before_ms = parts_.clock.wall_ms();
    const bool is_caught_up = gather();
    if (!window_.empty() && !deliver(window_)) {
      // Given up: dropped by the log, which has counted it; or it is read again, now or after a
      // restart.
      window_.clear();
      window_bytes_ = 0;
      if (is_stopping_) return;
      cursor_.rewind();
      last_.reset();
      continue;
    }
    const std::int64_t complete_until_ms =
        is_caught_up || !last_ ? before_ms : std::min(before_ms, last_->received_ms);
    if (last_) book(cursor_.commit(last_->next));
    window_.clear();
    window_bytes_ = 0;
    last_.reset();
    show_queue();
    // Asked for after the commit: what was received before is taken, or counted in it.
    if (!is_stopping_) on_progress(complete_until_ms - kCompleteMarginMs, cursor_.lost());
  }
}

/// Reads records until the window is full or the log has no more. True where it has no more.
bool LogExporter::gather() {
  auto wait_until = std::chrono::steady_clock::now() + kIdleWait;
  while (window_.size() < kWindowRecordsMax && window_bytes_ < kWindowBytesMax) {
    const Duration wait = wait_until - std::chrono::steady_clock::now();
    auto record = cursor_.next(std::max(Duration::zero(), wait));
    if (!record) {
      service::log_error("the disk log cannot be read",
                         {{"exporter", settings_.id}, {"error", record.error().message}});
      std::this_thread::sleep_for(kReadRetry);
      return false;
    }
    if (!record->has_value()) return true;
    if (!last_) wait_until = std::chrono::steady_clock::now() + kLinger;
    take(**std::move(record));
  }
  return false;
}

void LogExporter::take(pipeline::DiskRecord record) {
  last_ = record.header;
  if (!routing_.takes(record.header.signal, record.header.route)) return;
  auto body = plain_body(record);
  const auto index = static_cast<std::uint32_t>(window_.size());
  const std::uint32_t accepted = record.header.items - record.header.rejected;
  window_.push_back({.header = std::move(record.header), .accepted = accepted});
  if (!body) {
    window_.back().is_damaged = true;
    return;
  }
  window_bytes_ += body->size();
  if (accepted == 0) return;
  if (!contain_faults("export of a record", [&] { add(index, window_.back(), *body); }))
    window_.back().is_damaged = true;
}

bool LogExporter::is_window_gone() const {
  return last_.has_value() && cursor_.committed() >= last_->next;
}

void LogExporter::book(pipeline::LogPosition before) {
  struct Sum {
    CustomerId customer;
    Signal signal;
    std::uint64_t sent = 0, refused = 0, damaged = 0;
  };
  std::map<std::pair<std::string, Signal>, Sum> sums;
  for (const WindowRecord& record : window_) {
    if (record.header.position < before) continue;  // the log has dropped and counted it
    auto [sum, is_new] =
        sums.try_emplace({record.header.customer.text(), record.header.signal},
                         Sum{record.header.customer, record.header.signal, 0, 0, 0});
    const std::uint64_t refused = std::min<std::uint64_t>(record.dropped, record.accepted);
    if (record.is_damaged) {
      sum->second.damaged += record.accepted;
    } else {
      sum->second.refused += refused;
      sum->second.sent += record.accepted - refused;
    }
  }
  Books& books = parts_.books;
  for (const auto& [key, sum] : sums) {
    books.sent(sum.customer, sum.signal, settings_.id, sum.sent);
    books.dropped(sum.customer, sum.signal, settings_.id, "refused", sum.refused);
    books.dropped(sum.customer, sum.signal, settings_.id, "damaged", sum.damaged);
  }
}

void LogExporter::show_queue() {
  const TimePoint now = parts_.clock.steady();
  if (queue_shown_ != TimePoint{} && now < queue_shown_ + kQueueShowInterval) return;
  queue_shown_ = now;
  for (const pipeline::CursorStats& stats : parts_.log.stats().cursors) {
    if (stats.name == settings_.id) queue_size_.set(static_cast<double>(stats.queued_records));
  }
}

}  // namespace vigia::collector
