#include "libs/pipeline/log_state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/hex.hpp"
#include "libs/pipeline/segment_reader.hpp"

namespace vigia::pipeline {
namespace {

constexpr std::string_view kSegmentPrefix = "segment-";
constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::size_t kNumberDigits = 16;
/// Places of damage remembered, so that several cursors count one passage once.
constexpr std::size_t kDamageRememberedMax = 4096;

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != kSegmentPrefix.size() + kNumberDigits + kSegmentSuffix.size() ||
      !name.starts_with(kSegmentPrefix) || !name.ends_with(kSegmentSuffix))
    return std::nullopt;
  const auto bytes = from_hex(name.substr(kSegmentPrefix.size(), kNumberDigits));
  if (!bytes) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : *bytes) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

LogState::LogState(const DiskLogSettings& settings, FileSystem& files, DiskLogEvents events)
    : settings_(settings), files_(files), events_(std::move(events)) {
  for (const CursorSettings& cursor : settings.cursors)
    cursors_.push_back(
        {.settings = cursor, .committed = {}, .is_interrupted = false, .damaged = {}, .front = {}});
}

std::string LogState::segment_path(std::uint64_t number) const {
  return fmt::format("{}/{}{:016x}{}", settings_.directory, kSegmentPrefix, number, kSegmentSuffix);
}

Result<void> LogState::recover() {
  auto names = files_.list(settings_.directory);
  if (!names) return forward(names);
  if (auto read = recover_segments(*names); !read) return read;
  recover_cursors();
  recover_sequence();
  return {};
}

Result<void> LogState::recover_segments(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto number = segment_number(name);
    if (!number) continue;
    auto file = files_.open_to_read(segment_path(*number));
    if (!file) return forward(file);
    auto size = (*file)->size();
    if (!size) return forward(size);
    last_segment_ = std::max(last_segment_, *number);
    if (*size <= kSegmentHeaderBytes) {  // made, and nothing acknowledged in it
      if (auto removed = files_.remove(segment_path(*number)); !removed) return removed;
      continue;
    }
    const auto reader = SegmentReader::open(*std::move(file), *number, ReadDepth::kHeads);
    if (!reader && reader.error().code == ErrorCode::kInvalid)  // of a later version
      return tl::unexpected<Error>(with_context(segment_path(*number), reader.error()));
    segments_.push_back({*number, *size, false});
  }
  return {};
}

void LogState::recover_cursors() {
  std::string bytes;
  auto file = files_.open_to_read(cursors_path());
  if (!file) return;  // a new log: every cursor stands before the first record
  constexpr std::size_t kCursorFileBytesMax = 1U << 20U;
  auto read = (*file)->read_at(0, kCursorFileBytesMax, bytes);
  auto content = read ? decode_cursor_file(bytes) : Result<CursorFile>(forward(read));
  if (!content) {  // all is read once more, which no reader minds; silence would be worse
    ++damaged_records_;
    return;
  }
  next_sequence_ = std::max(next_sequence_, content->next_sequence);
  for (CursorState& cursor : cursors_) {
    const auto found = content->positions.find(cursor.settings.name);
    if (found != content->positions.end()) cursor.committed = found->second;
  }
  for (const auto& [name, position] : content->positions)
    last_segment_ = std::max(last_segment_, position.segment);
}

void LogState::recover_sequence() {
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    std::uint64_t last = 0;
    const std::deque<Segment> one{*segment};
    const auto walked = walk({}, one, [&last](const RecordHeader& header) {
      last = std::max(last, header.sequence);
      return true;
    });
    next_sequence_ = std::max(next_sequence_, last + 1);
    if (walked && last > 0) return;
  }
}

Result<void> LogState::walk(LogPosition from, const std::deque<Segment>& segments,
                            const Visit& visit) const {
  for (const Segment& segment : segments) {
    if (segment.number < from.segment) continue;
    auto file = files_.open_to_read(segment_path(segment.number));
    if (!file) return forward(file);
    auto reader = SegmentReader::open(*std::move(file), segment.number, ReadDepth::kHeads);
    if (!reader) return forward(reader);
    if (segment.number == from.segment) reader->seek(from.offset);
    for (;;) {
      auto found = reader->next(segment.bytes);
      if (!found) return forward(found);
      if (!found->has_value()) break;
      if (!visit((*found)->header)) return {};
    }
  }
  return {};
}

std::uint64_t LogState::begin_segment() {
  const std::lock_guard lock(mutex_);
  segments_.push_back({++last_segment_, kSegmentHeaderBytes, true});
  return last_segment_;
}

void LogState::extend(std::uint64_t end, std::uint64_t last_sequence) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!segments_.empty() && segments_.back().is_active && end >= segments_.back().bytes);
    segments_.back().bytes = end;
    next_sequence_ = last_sequence + 1;
    for (CursorState& cursor : cursors_) {
      if (cursor.front && cursor.front->sequence == 0) cursor.front.reset();  // it was at the end
    }
  }
  changed_.notify_all();
}

void LogState::close_active() {
  const std::lock_guard lock(mutex_);
  if (!segments_.empty()) segments_.back().is_active = false;
}

std::uint64_t LogState::next_sequence() const {
  const std::lock_guard lock(mutex_);
  return next_sequence_;
}

bool LogState::has_passed(const CursorState& cursor, const Segment& segment) const {
  return segment.bytes <= kSegmentHeaderBytes ||
         cursor.committed >= LogPosition{segment.number, segment.bytes};
}

bool LogState::is_held_by_required(const Segment& segment) const {
  return std::any_of(cursors_.begin(), cursors_.end(), [&](const CursorState& cursor) {
    return cursor.settings.required && !has_passed(cursor, segment);
  });
}

std::uint64_t LogState::total_bytes() const {
  std::uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.bytes;
  return bytes;
}

std::uint64_t LogState::lag_bytes(LogPosition from) const {
  std::uint64_t bytes = 0;
  for (const Segment& segment : segments_) {
    if (segment.number < from.segment) continue;
    const std::uint64_t begin =
        segment.number == from.segment
            ? std::clamp<std::uint64_t>(from.offset, kSegmentHeaderBytes, segment.bytes)
            : kSegmentHeaderBytes;
    bytes += segment.bytes - std::min(segment.bytes, begin);
  }
  return bytes;
}

bool LogState::is_blocked(std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  auto first = segments_.begin();  // what lies before it can be dropped
  while (first != segments_.end() && !is_held_by_required(*first)) ++first;
  if (first == segments_.end()) return false;
  std::uint64_t held = bytes;
  for (auto segment = first; segment != segments_.end(); ++segment) held += segment->bytes;
  return held > settings_.bytes_max;
}

bool LogState::make_room(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  // Segments that are closed and passed still count until take_passed has removed them.
  std::uint64_t total = total_bytes();
  for (const Segment& segment : segments_) {
    if (total + bytes <= settings_.bytes_max) break;
    if (segment.is_active || is_held_by_required(segment)) return false;
    for (CursorState& cursor : cursors_) {
      if (!has_passed(cursor, segment))
        drop_before(cursor, {segment.number, segment.bytes}, DropReason::kCap);
    }
    total -= segment.bytes;
  }
  return total + bytes <= settings_.bytes_max;
}

void LogState::drop_one(CursorState& cursor, const RecordHeader& header, DropReason reason) {
  if (events_.on_drop && cursor.damaged.count(header.position) == 0)
    events_.on_drop(header, cursor.settings.name, reason);
}

void LogState::drop_before(CursorState& cursor, LogPosition end, DropReason reason) {
  // What cannot be read any more is dropped all the same; it can't be counted by customer.
  (void)walk(cursor.committed, segments_, [&](const RecordHeader& header) {
    if (header.position >= end) return false;
    drop_one(cursor, header, reason);
    return true;
  });
  move(cursor, end);
}

void LogState::move(CursorState& cursor, LogPosition position) {
  cursor.committed = position;
  cursor.damaged.erase(cursor.damaged.begin(), cursor.damaged.lower_bound(position));
  cursor.front.reset();
  is_dirty_ = true;
}

const LogState::Front* LogState::front(const CursorState& cursor) const {
  if (!cursor.front || cursor.front->committed != cursor.committed) {
    Front found{cursor.committed, 0, 0};
    if (lag_bytes(cursor.committed) > 0) {
      (void)walk(cursor.committed, segments_, [&found](const RecordHeader& header) {
        found.sequence = header.sequence;
        found.received_ms = header.received_ms;
        return false;
      });
    }
    cursor.front = found;
  }
  return &*cursor.front;
}

void LogState::expire(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  for (CursorState& cursor : cursors_) {
    const CursorSettings& limits = cursor.settings;
    if (!limits.required && (limits.age_max > Duration::zero() || limits.bytes_max > 0))
      expire_cursor(cursor, now_ms);
  }
}

void LogState::expire_cursor(CursorState& cursor, std::int64_t now_ms) {
  const std::int64_t age_max_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(cursor.settings.age_max).count();
  const auto is_old = [&](std::int64_t received_ms) {
    return age_max_ms > 0 && received_ms < now_ms - age_max_ms;
  };
  const auto is_over = [&](LogPosition position) {
    return cursor.settings.bytes_max > 0 && lag_bytes(position) > cursor.settings.bytes_max;
  };
  const Front* first = front(cursor);
  if (first->sequence == 0 || (!is_old(first->received_ms) && !is_over(cursor.committed))) return;
  LogPosition end = cursor.committed;
  (void)walk(cursor.committed, segments_, [&](const RecordHeader& header) {
    const bool old = is_old(header.received_ms);
    if (!old && !is_over(header.position)) return false;
    drop_one(cursor, header, old ? DropReason::kTooOld : DropReason::kCap);
    end = header.next;
    return true;
  });
  move(cursor, end);
}

std::vector<std::uint64_t> LogState::take_passed() {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> passed;
  while (!segments_.empty() && !segments_.front().is_active &&
         std::all_of(cursors_.begin(), cursors_.end(), [&](const CursorState& cursor) {
           return has_passed(cursor, segments_.front());
         })) {
    passed.push_back(segments_.front().number);
    segments_.pop_front();
  }
  return passed;
}

std::optional<std::string> LogState::take_dirty_cursors() {
  const std::lock_guard lock(mutex_);
  if (!is_dirty_) return std::nullopt;
  is_dirty_ = false;
  CursorFile file;
  file.next_sequence = next_sequence_;
  for (const CursorState& cursor : cursors_)
    file.positions[cursor.settings.name] = cursor.committed;
  return encode_cursor_file(file);
}

void LogState::mark_dirty() {
  const std::lock_guard lock(mutex_);
  is_dirty_ = true;
}

std::size_t LogState::cursor_index(std::string_view name) const {
  for (std::size_t i = 0; i < cursors_.size(); ++i) {
    if (cursors_[i].settings.name == name) return i;
  }
  CHECK(false && "a cursor that the settings do not name");
  return 0;
}

LogPosition LogState::committed(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return cursors_[index].committed;
}

LogPosition LogState::commit(std::size_t index, LogPosition position) {
  const std::lock_guard lock(mutex_);
  CursorState& cursor = cursors_[index];
  const LogPosition before = cursor.committed;
  if (position > before) move(cursor, position);
  return before;
}

std::optional<Readable> LogState::wait_readable(std::size_t index, LogPosition from,
                                                std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  CursorState& cursor = cursors_[index];
  for (;;) {
    if (cursor.is_interrupted) return std::nullopt;
    from = std::max(from, cursor.committed);
    for (const Segment& segment : segments_) {
      if (segment.number < from.segment) continue;
      if (segment.number > from.segment) from = {segment.number, kSegmentHeaderBytes};
      if (from.offset < segment.bytes && segment.bytes > kSegmentHeaderBytes)
        return Readable{from, segment.bytes};
    }
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    changed_.wait_until(lock, deadline);
  }
}

void LogState::wait_until_readable(std::uint64_t sequence) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, sequence] { return next_sequence_ > sequence; });
}

void LogState::interrupt(std::size_t index) {
  {
    const std::lock_guard lock(mutex_);
    cursors_[index].is_interrupted = true;
  }
  changed_.notify_all();
}

void LogState::interrupt_all() {
  for (std::size_t i = 0; i < cursors_.size(); ++i) interrupt(i);
}

bool LogState::holds(std::uint64_t segment) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(segments_.begin(), segments_.end(),
                     [segment](const Segment& held) { return held.number == segment; });
}

void LogState::count_damaged_record(std::size_t index, const RecordHeader& header) {
  const std::lock_guard lock(mutex_);
  CursorState& cursor = cursors_[index];
  if (header.position < cursor.committed) return;  // dropped, and counted, meanwhile
  if (!cursor.damaged.insert(header.position).second) return;
  if (events_.on_drop) events_.on_drop(header, cursor.settings.name, DropReason::kDamaged);
}

void LogState::note_damage(LogPosition position) {
  const std::lock_guard lock(mutex_);
  if (damage_.count(position) > 0) return;
  if (damage_.size() < kDamageRememberedMax) damage_.insert(position);
  ++damaged_records_;
}

Result<void> LogState::for_each_queued(
    std::size_t index, const std::function<void(const RecordHeader&)>& visit) const {
  LogPosition from;
  std::deque<Segment> segments;
  {
    const std::lock_guard lock(mutex_);
    from = cursors_[index].committed;
    segments = segments_;
  }
  return walk(from, segments, [&visit](const RecordHeader& header) {
    visit(header);
    return true;
  });
}

void LogState::add_stats(DiskLogStats& stats) const {
  const std::lock_guard lock(mutex_);
  stats.bytes = total_bytes();
  stats.segments = segments_.size();
  stats.damaged_records = damaged_records_;
  for (const CursorState& cursor : cursors_) {
    const Front* first = front(cursor);
    const std::uint64_t queued = first->sequence == 0 ? 0 : next_sequence_ - first->sequence;
    stats.cursors.push_back(
        {cursor.settings.name, queued, lag_bytes(cursor.committed), first->received_ms});
  }
}

}  // namespace vigia::pipeline
