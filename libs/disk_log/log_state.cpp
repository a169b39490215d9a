#include "libs/disk_log/log_state.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "libs/base/check.hpp"

namespace vigia::disk_log {
namespace {

/// Places of damage remembered, so that several cursors count one passage once.
constexpr std::size_t kDamageRememberedMax = 4096;

bool has_required(const std::vector<CursorSettings>& cursors) {
  return std::any_of(cursors.begin(), cursors.end(),
                     [](const CursorSettings& cursor) { return cursor.required; });
}

Duration shortest_age(const std::vector<CursorSettings>& cursors) {
  Duration shortest{0};
  for (const CursorSettings& cursor : cursors) {
    if (has_age(cursor) && (shortest == Duration::zero() || cursor.age_max < shortest))
      shortest = cursor.age_max;
  }
  return shortest;
}

}  // namespace

LogState::LogState(const DiskLogSettings& settings, const Clock& clock, FileSystem& files,
                   DiskLogEvents events)
    : settings_(settings),
      clock_(clock),
      files_(files),
      events_(std::move(events)),
      contents_(settings.bytes_max, has_required(settings.cursors) ? settings.owner_share : 0,
                settings.owner_word),
      receipts_(shortest_age(settings.cursors)),
      notice_(settings.directory + "/damage-found", files, clock) {
  for (const CursorSettings& cursor : settings.cursors)
    cursors_.push_back({.settings = cursor,
                        .committed = {},
                        .damaged = {},
                        .passages = {},
                        .told = {},
                        .front = {}});
}

bool has_age(const CursorSettings& cursor) {
  return !cursor.required && cursor.age_max > Duration::zero();
}

std::uint32_t in_32_bits(std::uint64_t count) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

std::string LogState::path_of(std::uint64_t number) const {
  return segment_path(settings_.directory, number);
}

/// The owners' shares are free of what every required cursor has passed.
void LogState::pass_contents() {
  std::uint64_t first_held = last_segment_ + 1;
  for (const Segment& segment : segments_) {
    if (!segment.is_active && !is_held_by_required(segment)) continue;
    first_held = segment.number;
    break;
  }
  contents_.pass(first_held);
}

NewSegment LogState::begin_segment(std::uint64_t marker) {
  const std::lock_guard lock(mutex_);
  segments_.push_back({++last_segment_, kSegmentHeaderBytes, true, marker});
  // Where a number was skipped (a segment that was made and forgotten) the header says nothing: it
  // speaks of the number just before, and a wrong end would be taken for a cut.
  const bool is_next = last_end_.segment + 1 == last_segment_;
  const bool fits = last_end_.offset <= std::numeric_limits<std::uint32_t>::max();
  return {last_segment_, is_next && fits ? in_32_bits(last_end_.offset) : 0};
}

/// Only here do readers see new bytes, so a record is never given that a crash could take back.
void LogState::extend(std::uint64_t end, std::uint64_t last_sequence) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!segments_.empty() && segments_.back().is_active && end >= segments_.back().bytes);
    segments_.back().bytes = end;
    last_end_ = {segments_.back().number, end};
    next_sequence_ = last_sequence + 1;
    receipts_.note({segments_.back().number, end}, clock_.steady());
  }
  changed_.notify_all();
}

void LogState::close_active() {
  const std::lock_guard lock(mutex_);
  if (!segments_.empty()) segments_.back().is_active = false;
}

void LogState::forget_active() {
  const std::lock_guard lock(mutex_);
  CHECK(!segments_.empty() && segments_.back().is_active &&
        segments_.back().bytes <= kSegmentHeaderBytes);
  segments_.pop_back();
}

void LogState::skip_sequences(std::uint64_t last) {
  const std::lock_guard lock(mutex_);
  next_sequence_ = std::max(next_sequence_, last + 1);
  is_dirty_ = true;
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

void LogState::move(CursorState& cursor, LogPosition position) {
  cursor.committed = position;
  cursor.damaged.erase(cursor.damaged.begin(), cursor.damaged.lower_bound(position));
  cursor.passages.erase(cursor.passages.begin(), cursor.passages.lower_bound(position));
  cursor.told.erase(cursor.told.begin(), cursor.told.lower_bound(position.segment));
  cursor.front.reset();
  is_dirty_ = true;
  if (cursor.settings.required) pass_contents();
}

std::optional<std::string> LogState::take_dirty_cursors() {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  // A cursor may not be committed for minutes. What is synced meanwhile and lost at the end of a
  // page looks like a write that a kill has cut, unless the end was noted.
  const bool is_end_due = last_end_ != noted_end_ && now >= noted_at_ + kEndNotedEach;
  if (!is_dirty_ && !is_end_due) return std::nullopt;
  is_dirty_ = false;
  noted_end_ = last_end_;
  noted_at_ = now;
  CursorFile file;
  file.next_sequence = next_sequence_;
  for (const CursorState& cursor : cursors_)
    file.cursors[cursor.settings.name] = {cursor.committed, cursor.lost};
  // Only of a segment that is there: an end told of one that is gone would be taken for a cut at
  // the next start.
  if (!segments_.empty() && segments_.back().number == last_end_.segment)
    file.newest_end = last_end_;
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

const std::string& LogState::cursor_name(std::size_t index) const {
  return cursors_[index].settings.name;
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
      // The closed segment is read to its end, or is gone: numbers may have gaps, so what comes
      // next is the next that is there, not number + 1.
      if (segment.number > from.segment) from = {segment.number, kSegmentHeaderBytes};
      if (from.offset < segment.bytes && segment.bytes > kSegmentHeaderBytes)
        return Readable{from, segment.bytes, segment.marker};
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

std::uint64_t LogState::lost(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return cursors_[index].lost;
}

bool LogState::count_damaged_record(std::size_t index, const RecordHeader& header) {
  const std::lock_guard lock(mutex_);
  note_damage(header.position);
  CursorState& cursor = cursors_[index];
  if (header.position < cursor.committed) return false;  // dropped, and counted, meanwhile
  if (!cursor.damaged.insert(header.position).second) return false;
  ++cursor.lost;
  is_dirty_ = true;
  if (events_.on_drop) events_.on_drop(header, cursor.settings.name, DropReason::kDamaged);
  return true;
}

bool LogState::count_damaged_passage(std::size_t index, LogPosition begin) {
  CursorState& cursor = cursors_[index];
  {
    const std::lock_guard lock(mutex_);
    note_damage(begin);
    if (begin < cursor.committed || !cursor.passages.insert(begin).second) return false;
    ++cursor.lost;
    is_dirty_ = true;
  }
  const auto segment = find_segment(begin.segment);
  // Where it cannot be looked at now, the passage stays one of whose records nobody can say.
  if (segment) (void)tell_hidden(cursor, {begin, {*segment}}, begin.segment);
  return true;
}

void LogState::note_damage(LogPosition position) {
  if (damage_.count(position) > 0) return;
  if (damage_.size() < kDamageRememberedMax) damage_.insert(position);
  ++damaged_records_;
  damaged_segments_.insert(position.segment);
  notice_.found();
}

std::set<std::uint64_t> LogState::take_damaged_segments() {
  const std::lock_guard lock(mutex_);
  return std::exchange(damaged_segments_, {});
}

void LogState::report_skip(SkippedPassage skipped) {
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = clock_.steady();
    if (skips_told_ == 0 || now >= skips_from_ + kSkipsToldIn) {
      skips_from_ = now;
      skips_told_ = 0;
    }
    if (skips_told_ == kSkipsToldMax) return;
    if (++skips_told_ == kSkipsToldMax)
      skipped.why += "; more of them are only counted, for an hour";
  }
  if (events_.on_skip) events_.on_skip(skipped);
}

void LogState::add_stats(DiskLogStats& stats) const {
  std::vector<Front> fronts;
  for (const CursorState& cursor : cursors_) fronts.push_back(front(cursor));
  const std::lock_guard lock(mutex_);
  stats.bytes = total_bytes();
  stats.segments = segments_.size();
  stats.end = last_end_;
  stats.damaged_records = damaged_records_;
  stats.is_damage_recent = notice_.is_shown();
  stats.clock_jumps = clock_jumps_;
  for (std::size_t i = 0; i < cursors_.size(); ++i) {
    const Front& first = fronts[i];
    const std::uint64_t queued = first.sequence == 0 ? 0 : next_sequence_ - first.sequence;
    const Duration age =
        queued == 0 ? Duration::zero() : receipts_.age(first.committed, clock_.steady());
    stats.cursors.push_back({cursors_[i].settings.name, queued,
                             bytes_after(segments_, first.committed), first.received_ms,
                             std::max(age, Duration::zero())});
  }
}

}  // namespace vigia::disk_log
