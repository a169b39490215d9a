#include "services/collector/exporters/log_reader.hpp"

#include <map>

#include "libs/base/fault.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/service/log.hpp"
#include "services/collector/bodies/moved_note.hpp"

namespace vigia::collector::exporters {
namespace {

constexpr auto kIdleWait = std::chrono::milliseconds(250);
/// How long a window stays open after its first record: few requests at little traffic.
constexpr auto kLinger = std::chrono::milliseconds(50);
/// How often it looks for more then. Waiting for each record costs two switches of threads a
/// record.
constexpr auto kLook = std::chrono::milliseconds(5);
constexpr auto kQueueShowInterval = std::chrono::seconds(1);
constexpr auto kReadRetry = std::chrono::milliseconds(500);
constexpr auto kFaultPause = std::chrono::milliseconds(100);
/// Records in flight at intake may be stamped a little before those that are on disk already.
constexpr std::int64_t kCompleteMarginMs = 2000;

const std::vector<double>& duration_bounds() {
  static const std::vector<double> bounds{1,   2,    5,    10,   25,    50,    100,  250,
                                          500, 1000, 2500, 5000, 10000, 30000, 60000};
  return bounds;
}

const std::vector<double>& size_bounds() {
  static const std::vector<double> bounds{1,    10,   50,   100,   250,   500,
                                          1000, 2500, 5000, 10000, 25000, 50000};
  return bounds;
}

const std::vector<double>& bytes_bounds() {
  static const std::vector<double> bounds{1e2, 1e3, 5e3, 1e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 4e6};
  return bounds;
}

/// The stock name of what gathers batches is that of a processor.
service::MetricLabels batch_labels(const ExporterSettings& settings) {
  return {{"processor", "batch"}, {"exporter", settings.id}};
}

}  // namespace

LogReader::LogReader(const ExporterSettings& settings, const ExporterParts& parts,
                     WindowTaker& taker)
    : settings_(settings),
      parts_(parts),
      taker_(taker),
      cursor_(parts.log.cursor(settings.id)),
      send_duration_(parts.metrics.histogram("otelcol_processor_batch_batch_send_duration",
                                             "Milliseconds that a request took, answer included",
                                             duration_bounds(), {{"exporter", settings.id}})),
      send_size_(parts.metrics.histogram("otelcol_processor_batch_batch_send_size",
                                         "Items of a request that was taken", size_bounds(),
                                         batch_labels(settings))),
      send_bytes_(parts.metrics.histogram("otelcol_processor_batch_batch_send_size_bytes",
                                          "Bytes of a request that was taken, before compression",
                                          bytes_bounds(), batch_labels(settings))),
      size_triggers_(parts.metrics.counter("otelcol_processor_batch_batch_size_trigger_send",
                                           "Requests that were cut at their bound",
                                           batch_labels(settings))),
      time_triggers_(parts.metrics.counter("otelcol_processor_batch_timeout_trigger_send",
                                           "Requests with all that there was of a customer",
                                           batch_labels(settings))),
      routing_(settings),
      queue_size_(parts.metrics.gauge("otelcol_exporter_queue_size",
                                      "Batches in the disk log that wait for this exporter",
                                      {{"exporter", settings.id}})) {}

LogReader::~LogReader() { stop(parts_.clock.steady()); }

void LogReader::start() {
  show_queue();
  thread_ = std::thread([this] { run(); });
}

void LogReader::stop(TimePoint deadline) noexcept {
  is_stopping_ = true;
  cursor_.interrupt();
  taker_.wake(deadline);
  if (thread_.joinable()) thread_.join();
  taker_.end(deadline);
}

void LogReader::note_request(Duration took) {
  send_duration_.observe(std::chrono::duration<double, std::milli>(took).count());
}

void LogReader::note_batch(const SentRequest& request) {
  send_size_.observe(static_cast<double>(request.items));
  send_bytes_.observe(static_cast<double>(request.bytes));
  (request.has_more ? size_triggers_ : time_triggers_).add();
}

void LogReader::run() {
  while (!is_stopping_) {
    if (!contain_faults("export of a window", [this] { take_turn(); })) recover_from_fault();
  }
}

void LogReader::take_turn() {
  // Before the log is read: what is received later may not be in what was read, so completeness can
  // be told up to here at most.
  const std::int64_t before_ms = parts_.time.now_or_wall_ms();
  const Read read = gather();
  const bool is_done = window_.empty() || taker_.deliver(window_);
  if (!is_done || taker_.holds_cursor()) {
    // Dropped by the log, which has counted it; or it is read again, now, later or after a restart.
    end_turn();
    if (!is_stopping_ && !taker_.reads_on()) cursor_.rewind();
    return;
  }
  std::optional<std::int64_t> complete_until_ms;
  if (last_) complete_until_ms = std::min(before_ms, last_->received_ms);
  if (read == Read::kAll) complete_until_ms = before_ms;
  if (last_) book(cursor_.commit(last_->next));
  if (last_) hunt_.note_done();
  end_turn();
  show_queue();
  // Asked for after the commit: what was received before is taken, or counted in it.
  if (!is_stopping_ && complete_until_ms)
    taker_.on_progress(*complete_until_ms - kCompleteMarginMs, cursor_.lost());
}

void LogReader::end_turn() {
  taker_.forget();
  window_.clear();
  window_bytes_ = 0;
  last_.reset();
  in_hand_.reset();
}

/// Nothing where the window has more than one record, or none was read: a record that cannot be
/// read now is not to blame for it, and comes when it can be.
std::optional<disk_log::LogPosition> LogReader::alone_in_hand() const {
  if (window_.empty()) return in_hand_;
  const disk_log::LogPosition first = window_.front().header.position;
  if (window_.size() > 1 || (in_hand_ && *in_hand_ != first)) return std::nullopt;
  return first;
}

/// A fault of ours costs the record that brings it to light: the window is read again, a record at
/// a time, and the one with which it comes again and again is given up.
void LogReader::recover_from_fault() {
  contain_faults("what follows a fault", [this] {
    hunt_.note_fault(window_.size(), alone_in_hand());
    end_turn();
  });
  cursor_.rewind();
  std::this_thread::sleep_for(kFaultPause);
}

/// Reads records until the window is full or the log has no more.
LogReader::Read LogReader::gather() {
  auto wait_until = std::chrono::steady_clock::now() + kIdleWait;
  const std::size_t records_max = hunt_.records_max(kWindowRecordsMax);
  while (window_.size() < records_max && window_bytes_ < kWindowBytesMax && !taker_.is_full()) {
    const Duration wait =
        std::max(Duration::zero(), Duration(wait_until - std::chrono::steady_clock::now()));
    auto record = cursor_.next(last_ ? Duration::zero() : wait);
    if (!record) {
      if (!is_unreadable_)
        service::log_error("the disk log cannot be read",
                           {{"exporter", settings_.id}, {"error", record.error().message}});
      is_unreadable_ = true;
      std::this_thread::sleep_for(kReadRetry);
      return Read::kFailed;
    }
    is_unreadable_ = false;
    if (!record->has_value()) {
      if (!last_ || wait == Duration::zero() || is_stopping_) return Read::kAll;
      std::this_thread::sleep_for(std::min<Duration>(wait, kLook));
      continue;
    }
    if (!last_) wait_until = std::chrono::steady_clock::now() + kLinger;
    take(**std::move(record));
  }
  return Read::kMore;
}

void LogReader::take(disk_log::DiskRecord record) {
  last_ = Passed{record.header.next, record.header.received_ms};
  const disk_log::RecordTag& tag = record.header.tag;
  auto whose = kept_customer_signal(tag.owner, tag.kind);
  if (!whose)
    return cursor_.pass_over(record.header,
                             "its head is whole, and names no customer or no signal");
  // Passed over and committed with the window: `last_` stands behind it.
  if (!routing_.takes(whose->signal, tag.route)) return;
  // Where it came from says nothing of its items: all are accepted.
  if (bodies::moved_sequence(record.header.tag.note)) record.header.tag.note.clear();
  in_hand_ = record.header.position;
  const bool is_given_up = hunt_.is_given_up(record.header.position);
  bodies::LogBody body{record.header.encoding, std::move(record.body), std::move(record.recent)};
  const auto index = static_cast<std::uint32_t>(window_.size());
  const std::uint32_t accepted = record.header.items - record.header.rejected;
  window_.push_back({.header = std::move(record.header),
                     .customer = std::move(whose->customer),
                     .signal = whose->signal,
                     .accepted = accepted});
  const std::size_t stored_bytes = body.as_stored().size();
  if (is_given_up) {
    let_go(body);
  } else if (accepted > 0 && taker_.add_unopened(window_.back(), body)) {
    window_bytes_ += stored_bytes;
  } else if (!body.open()) {
    window_.back().is_damaged = true;
  } else {
    window_bytes_ += body.plain().size();
    if (accepted > 0) taker_.add(index, window_.back(), std::move(body));
  }
  in_hand_.reset();
}

/// The window's last record. What brings the fault to light may be its body, so that nothing of it
/// can be kept.
void LogReader::let_go(bodies::LogBody& body) {
  WindowRecord& record = window_.back();
  record.is_damaged = true;
  contain_faults("what is kept of a record that is given up", [&] {
    if (body.open()) taker_.give_up(record, body.plain());
  });
}

void WindowTaker::give_up(WindowRecord& record, std::string_view /*body*/) {
  record.is_damaged = true;
}

bool LogReader::is_window_gone() const {
  return last_.has_value() && cursor_.committed() >= last_->next;
}

void LogReader::book(disk_log::LogPosition before) {
  struct Sum {
    CustomerId customer;
    Signal signal;
    std::uint64_t sent = 0, refused = 0, damaged = 0;
  };
  std::map<std::pair<std::string, Signal>, Sum> sums;
  for (const WindowRecord& record : window_) {
    if (record.header.position < before) continue;  // the log has dropped and counted it
    auto [sum, is_new] = sums.try_emplace({record.customer.text(), record.signal},
                                          Sum{record.customer, record.signal, 0, 0, 0});
    const std::uint64_t left =
        record.accepted - std::min<std::uint64_t>(record.apart, record.accepted);
    // Clipped: what is counted for the same item by several ways must not make a sum that wraps.
    const std::uint64_t refused = std::min(record.dropped, left);
    if (record.is_damaged) {
      sum->second.damaged += left;
    } else {
      sum->second.refused += refused;
      sum->second.sent += left - refused;
    }
  }
  books::Books& books = parts_.books;
  for (const auto& [key, sum] : sums) {
    books.sent(sum.customer, sum.signal, settings_.id, sum.sent);
    books.dropped(sum.customer, sum.signal, settings_.id, books::DropCause::kRefused, sum.refused);
    books.dropped(sum.customer, sum.signal, settings_.id, books::DropCause::kDamaged, sum.damaged);
  }
}

void LogReader::show_queue() {
  const TimePoint now = parts_.clock.steady();
  if (queue_shown_ != TimePoint{} && now < queue_shown_ + kQueueShowInterval) return;
  queue_shown_ = now;
  for (const disk_log::CursorStats& stats : parts_.log.stats().cursors) {
    if (stats.name == settings_.id) queue_size_.set(static_cast<double>(stats.queued_records));
  }
}

}  // namespace vigia::collector::exporters
