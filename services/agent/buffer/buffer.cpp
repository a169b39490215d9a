#include "services/agent/buffer/buffer.hpp"

#include <algorithm>

#include "libs/model/customer_signal.hpp"
#include "libs/service/log.hpp"

namespace vigia::agent::buffer {

namespace {

constexpr std::uint64_t kSegmentBytesMax = 16U << 20U;
/// The oldest go a segment at a time, so a small cap wants small segments.
constexpr std::uint64_t kSegmentsPerCap = 16;
constexpr std::size_t kPendingBytesMax = 32U << 20U;

disk_log::DiskLogSettings log_settings(const BufferSettings& settings) {
  disk_log::DiskLogSettings log;
  log.directory = settings.directory;
  log.segment_bytes = std::min(kSegmentBytesMax, settings.bytes_max / kSegmentsPerCap);
  log.bytes_max = settings.bytes_max;
  log.owner_share = 0;  // all of it is one customer's
  log.owner_word = "customer";
  log.pending_bytes_max = kPendingBytesMax;
  // A disk of a customer's node is not ours to keep busy: after a kill a second's records are sent
  // twice.
  log.cursor_interval = std::chrono::seconds(1);
  for (const Signal signal : kSignals) {
    disk_log::CursorSettings cursor;
    cursor.name = to_string(signal);
    // The newest data is worth more than the oldest: at the cap the buffer drops rather than
    // refuses.
    cursor.required = false;
    cursor.age_max = settings.age_max;
    log.cursors.push_back(std::move(cursor));
  }
  return log;
}

void report_skip(const disk_log::SkippedPassage& skipped) {
  service::log_error(
      "a passage of the buffer cannot be read; sending goes on behind it, the file is kept as "
      ".damaged",
      {{"signal", skipped.cursor},
       {"file", skipped.path},
       {"from_byte", std::to_string(skipped.begin)},
       {"to_byte", std::to_string(skipped.end)},
       {"why", skipped.why}});
}

void report_cursors_lost(const std::string& path, const std::string& why) {
  service::log_error(
      "the file that says what was sent is damaged: all that lies in the buffer is sent once more, "
      "which costs time and no data; look at the disk",
      {{"file", path}, {"why", why}});
}

void report_clock_jump(const disk_log::ClockJump& jump) {
  using What = disk_log::ClockJump::What;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(jump.by).count();
  const std::string by = std::to_string(seconds);
  switch (jump.what) {
    case What::kIgnored:
      service::log_warn("the wall clock has jumped; the buffer does not age by it",
                        {{"seconds", by}});
      break;
    case What::kWaiting:
      service::log_warn(
          "the wall clock is far from the newest record of the buffer; age_max goes by that record "
          "for an hour, then by the clock: set it right if it is wrong",
          {{"seconds", by}});
      break;
    case What::kBelieved:
      service::log_warn(
          "the wall clock is believed now: what was buffered before the start is "
          "older by this",
          {{"seconds", by}});
      break;
  }
}

}  // namespace

Buffer::Buffer(Private /*key*/, const BufferSettings& settings, CustomerId customer,
               const Clock& clock)
    : settings_(settings), customer_(std::move(customer)), clock_(clock) {
  for (const auto reason : {disk_log::DropReason::kTooOld, disk_log::DropReason::kCap,
                            disk_log::DropReason::kDamaged}) {
    dropped_[std::string(to_string(reason))] = 0;
  }
}

Result<std::unique_ptr<Buffer>> Buffer::open(const BufferSettings& settings, CustomerId customer,
                                             const Clock& clock, disk_log::FileSystem& files) {
  auto buffer = std::make_unique<Buffer>(Private{}, settings, std::move(customer), clock);
  auto log = disk_log::DiskLog::open(
      log_settings(settings), clock,
      {.on_cursors_lost = report_cursors_lost,
       .on_drop = [self = buffer.get()](
                      const disk_log::RecordHeader& header, std::string_view cursor,
                      disk_log::DropReason reason) { self->count_drop(header, cursor, reason); },
       .on_skip = report_skip,
       .on_clock_jump = report_clock_jump},
      files);
  if (!log) return forward(log);
  buffer->log_ = *std::move(log);
  return buffer;
}

void Buffer::count_drop(const disk_log::RecordHeader& header, std::string_view cursor,
                        disk_log::DropReason reason) {
  // Every cursor passes every record; only that of the record's own signal loses it.
  const auto signal = kept_signal(header.tag.kind);
  if (!signal || cursor != to_string(*signal)) return;
  const std::lock_guard lock(mutex_);
  dropped_[std::string(to_string(reason))] += header.items;
}

disk_log::DiskRecord Buffer::record(Signal signal, std::string body, std::uint32_t items) const {
  disk_log::DiskRecord record{
      .header = {.tag = {.owner = customer_.text(), .kind = kept_number(signal)}}};
  record.header.items = items;
  record.header.received_ms = clock_.wall_ms();
  record.body = std::move(body);
  return record;
}

void Buffer::append(Signal signal, std::string body, std::uint32_t items, Done done) {
  log_->append(record(signal, std::move(body), items),
               [done = std::move(done)](const Result<disk_log::RecordHeader>& header) {
                 done(header ? Result<void>() : tl::unexpected<Error>(header.error()));
               });
}

void Buffer::append_own(std::string body, std::uint32_t items) {
  std::vector<std::pair<std::uint64_t, disk_log::DiskRecord>> wanted;
  {
    const std::lock_guard lock(mutex_);
    held_bytes_ += body.size();
    // Held until the disk has it: a full disk must not cost the very samples that show it.
    held_.push_back({++last_held_, std::move(body), items, false});
    make_room_for_held();
    // A disk that hangs answers nothing: no more than the bound is on its way there at once.
    std::size_t under_way = 0;
    for (const Held& held : held_) under_way += held.is_under_way ? held.body.size() : 0;
    for (Held& held : held_) {
      if (held.is_under_way) continue;
      if (under_way > 0 && under_way + held.body.size() > kHeldBytesMax) break;
      under_way += held.body.size();
      held.is_under_way = true;
      wanted.emplace_back(held.number, record(Signal::kMetrics, held.body, held.items));
    }
  }
  for (auto& [number, record] : wanted) {
    log_->append(std::move(record),
                 [this, number = number](const Result<disk_log::RecordHeader>& kept) {
                   settle_held(number, kept);
                 });
  }
}

/// The oldest go that the disk has not been given; the newest stays. REQUIRES: mutex_ is held.
void Buffer::make_room_for_held() {
  auto oldest = held_.begin();
  while (held_bytes_ > kHeldBytesMax && oldest != std::prev(held_.end())) {
    if (oldest->is_under_way) {
      ++oldest;
      continue;
    }
    lost_items_ += oldest->items;
    held_bytes_ -= oldest->body.size();
    oldest = held_.erase(oldest);
  }
}

void Buffer::settle_held(std::uint64_t number, const Result<disk_log::RecordHeader>& kept) {
  const std::lock_guard lock(mutex_);
  const auto held = std::find_if(held_.begin(), held_.end(),
                                 [number](const Held& one) { return one.number == number; });
  if (held == held_.end()) return;
  if (!kept) {
    held->is_under_way = false;
    if (!is_holding_)
      service::log_warn("the disk does not take the agent's own metrics, they are held in memory",
                        {{"reason", kept.error().message}});
    is_holding_ = true;
    return;
  }
  held_bytes_ -= held->body.size();
  held_.erase(held);
  if (!is_holding_ || !held_.empty()) return;
  is_holding_ = false;
  service::log_info("the disk takes data again, what was held in memory is written");
}

Result<void> Buffer::append_and_wait(Signal signal, std::string body, std::uint32_t items) {
  auto header = log_->append_and_wait(record(signal, std::move(body), items));
  if (!header) return forward(header);
  return {};
}

disk_log::Cursor& Buffer::cursor(Signal signal) { return log_->cursor(to_string(signal)); }

BufferStats Buffer::stats() const {
  const auto log = log_->stats();
  BufferStats stats;
  stats.damaged_records = log.damaged_records;
  stats.is_damage_recent = log.is_damage_recent;
  stats.clock_jumps = log.clock_jumps;
  stats.is_full = log.is_full;
  Duration oldest{0};
  for (const auto& cursor : log.cursors) {
    // The cursors read one log: what is held is what the slowest has not passed.
    stats.bytes = std::max(stats.bytes, cursor.queued_bytes);
    oldest = std::max(oldest, cursor.oldest_age);
  }
  const double by_bytes =
      static_cast<double>(stats.bytes) / static_cast<double>(settings_.bytes_max);
  const double by_age =
      std::chrono::duration<double>(oldest) / std::chrono::duration<double>(settings_.age_max);
  stats.usage_percent = std::clamp(std::max(by_bytes, by_age) * 100, 0.0, 100.0);
  const std::lock_guard lock(mutex_);
  stats.dropped = dropped_;
  stats.lost_items = lost_items_;
  for (const Held& held : held_) stats.held_items += held.is_under_way ? 0 : held.items;
  return stats;
}

}  // namespace vigia::agent::buffer
