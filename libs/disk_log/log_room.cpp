// LogState: what goes, and who is told. Room is made of the oldest segment, whose records a cursor
// that has not read them loses; others grow too old. Each loss is told once, record by record or,
// where a segment cannot be read any more, as the sums that are known of it.
#include <algorithm>
#include <utility>

#include "libs/disk_log/log_state.hpp"

namespace vigia::disk_log {
namespace {

/// Looks for a cursor's first record before its place is given as of a moment ago.
constexpr int kLooksMax = 8;

constexpr std::string_view kFull =
    "the disk log is full of data that a required destination has not taken yet";

bool is_same_kind(const RecordSums& sums, const RecordSums& other) {
  return sums.owner == other.owner && sums.kind == other.kind && sums.route == other.route;
}

void subtract(std::vector<RecordSums>& all, const RecordSums& part) {
  for (RecordSums& sums : all) {
    if (!is_same_kind(sums, part)) continue;
    sums.records -= std::min(sums.records, part.records);
    sums.items -= std::min(sums.items, part.items);
    sums.rejected -= std::min(sums.rejected, part.rejected);
    sums.bytes -= std::min(sums.bytes, part.bytes);
  }
}

RecordSums sums_of(const RecordHeader& header) {
  return {header.tag.owner, header.tag.kind, header.tag.route,   1,
          header.items,     header.rejected, header.stored_bytes};
}

std::uint64_t bytes_of(const std::vector<RecordSums>& all) {
  std::uint64_t bytes = 0;
  for (const RecordSums& sums : all) bytes += sums.bytes;
  return bytes;
}

}  // namespace

bool LogState::is_blocked(std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  auto first = segments_.begin();  // what lies before it can be dropped
  // Segments go from the oldest on, so one that is held keeps also the passed ones behind it.
  while (first != segments_.end() && !is_held_by_required(*first)) ++first;
  if (first == segments_.end()) return false;
  std::uint64_t held = bytes;
  for (auto segment = first; segment != segments_.end(); ++segment) held += segment->bytes;
  return held > settings_.bytes_max;
}

Result<void> LogState::make_room(std::uint64_t bytes) {
  for (;;) {
    CursorState* behind = nullptr;
    Segment oldest;
    {
      const std::lock_guard lock(mutex_);
      // Looks first what can go, from the oldest on, and drops one segment for one cursor a round,
      // with the lock let go: a commit that comes meanwhile may have made the drop needless.
      // Segments that are closed and passed still count until take_passed has removed them.
      std::uint64_t total = total_bytes();
      for (const Segment& segment : segments_) {
        if (total + bytes <= settings_.bytes_max) break;
        if (segment.is_active || is_held_by_required(segment))
          return fail(ErrorCode::kUnavailable, std::string(kFull));
        const auto cursor =
            std::find_if(cursors_.begin(), cursors_.end(),
                         [&](const CursorState& state) { return !has_passed(state, segment); });
        if (cursor != cursors_.end()) {
          behind = &*cursor;
          oldest = segment;
          break;
        }
        total -= segment.bytes;
      }
      if (behind == nullptr && total + bytes > settings_.bytes_max)
        return fail(ErrorCode::kUnavailable, std::string(kFull));
      if (behind == nullptr) return {};
    }
    if (auto dropped = drop_segment(*behind, oldest); !dropped) return dropped;
  }
}

LogState::Place LogState::place_of(const CursorState& cursor) const {
  Place place{cursor.committed, {}};
  std::copy_if(segments_.begin(), segments_.end(), std::back_inserter(place.segments),
               [&](const Segment& segment) { return segment.number >= place.committed.segment; });
  return place;
}

/// Of a walk that can't go on what was found so far is kept: it is dropped and counted, the rest at
/// a later turn.
LogState::Piece LogState::collect(const Place& from, const Judge& judge) const {
  Piece piece{{}, from.committed};
  std::size_t note_bytes = 0;
  const auto time_limit = std::chrono::steady_clock::now() + kPieceTimeMax;
  const auto walked = walk_heads(files_, settings_.directory, from.segments, from.committed,
                                 [&](const RecordHeader& header) {
                                   const auto reason = judge(header);
                                   if (!reason) return false;
                                   note_bytes += header.tag.note.size();
                                   piece.end = header.next;
                                   piece.records.push_back({header, *reason});
                                   piece.is_cut = piece.records.size() >= kPieceRecordsMax ||
                                                  note_bytes >= kPieceNoteBytesMax ||
                                                  std::chrono::steady_clock::now() >= time_limit;
                                   return !piece.is_cut;
                                 });
  if (!walked) piece.fault = walked.error();
  piece.is_damaged = walked && walked->passages > 0;
  return piece;
}

void LogState::drop(CursorState& cursor, const Piece& piece) {
  for (const Doomed& record : piece.records) {
    const LogPosition position = record.header.position;
    // The walk ran without the lock: what the reader has finished since is done, not dropped, and
    // what it found damaged is counted already.
    if (position < cursor.committed || cursor.damaged.count(position) > 0) continue;
    ++cursor.lost;
    if (events_.on_drop) events_.on_drop(record.header, cursor.settings.name, record.reason);
  }
  if (piece.end <= cursor.committed) return;
  if (piece.is_damaged) ++cursor.lost;
  move(cursor, piece.end);
}

/// What the device cannot read any more is dropped all the same, counted by what is known of the
/// segment. A fault that may pass is waited out: nothing goes then.
Result<void> LogState::drop_segment(CursorState& cursor, const Segment& segment) {
  const LogPosition end{segment.number, segment.bytes};
  for (bool has_more = true; has_more;) {
    Place place;
    {
      const std::lock_guard lock(mutex_);
      place = {cursor.committed, {segment}};
    }
    // In pieces: a segment of small records would hold millions of headers at once, and the lock
    // for as long as it takes to tell of them.
    Piece piece = collect(
        place, [](const RecordHeader& /*header*/) { return std::optional(DropReason::kCap); });
    has_more = piece.is_cut;
    if (piece.is_damaged) {
      if (auto told = tell_hidden(cursor, place, segment.number); !told) return told;
    }
    // Behind the last record there may be damage without a head; the segment is to go with it.
    if (!has_more && !piece.fault) piece.end = end;
    {
      const std::lock_guard lock(mutex_);
      drop(cursor, piece);
    }
    if (piece.fault) return tl::unexpected<Error>(with_context("making room", *piece.fault));
  }
  return {};
}

std::optional<Segment> LogState::find_segment(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(segments_.begin(), segments_.end(),
                                  [&](const Segment& segment) { return segment.number == number; });
  return found == segments_.end() ? std::nullopt : std::optional(*found);
}

/// What the segment holds at or after `from` and cannot be read; nothing where some of what can't
/// be read may lie before, but for `told_bytes` that are known of.
Result<std::vector<RecordSums>> LogState::find_hidden(std::uint64_t number, LogPosition from,
                                                      std::uint64_t told_bytes) const {
  std::vector<RecordSums> left;
  std::optional<Segment> segment;
  // What is being written stands in the contents a moment before it is part of the segment.
  for (int looks = 0; looks < kLooksMax; ++looks) {
    segment = find_segment(number);
    if (!segment) return std::vector<RecordSums>();
    left = contents_.of_segment(number);
    if (bytes_of(left) + kSegmentHeaderBytes <= segment->bytes) break;
    left.clear();
  }
  // What was written to the segment, less the heads that can be read, is what is hidden. Whether it
  // lies before or after `from` nobody can say, unless every byte before is accounted for.
  std::uint64_t before = from.segment == number && from.offset > kSegmentHeaderBytes
                             ? from.offset - kSegmentHeaderBytes
                             : 0;
  const auto walked =
      walk_heads(files_, settings_.directory, {*segment}, {}, [&](const RecordHeader& header) {
        subtract(left, sums_of(header));
        if (header.position < from) before -= std::min<std::uint64_t>(before, header.stored_bytes);
        return true;
      });
  if (!walked) return forward(walked);
  if (before > told_bytes) left.clear();
  return left;
}

Result<void> LogState::tell_hidden(CursorState& cursor, const Place& place,
                                   std::uint64_t last_segment) {
  for (const Segment& segment : place.segments) {
    if (segment.number > last_segment) break;
    std::uint64_t told_bytes = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto told = cursor.told.find(segment.number);
      if (told != cursor.told.end()) told_bytes = bytes_of(told->second);
    }
    const auto hidden = find_hidden(segment.number, place.committed, told_bytes);
    if (!hidden) return tl::unexpected<Error>(with_context("counting", hidden.error()));
    const std::lock_guard lock(mutex_);
    tell(cursor, segment.number, *hidden);
  }
  return {};
}

void LogState::tell(CursorState& cursor, std::uint64_t segment,
                    const std::vector<RecordSums>& hidden) {
  // Several passages of one segment come here with the same difference: only what is new is told.
  std::vector<RecordSums> fresh = hidden;
  for (const RecordSums& told : cursor.told[segment]) subtract(fresh, told);
  for (const RecordSums& sums : fresh) {
    if (sums.records == 0) continue;
    cursor.told[segment].push_back(sums);
    RecordHeader header{.tag = {.owner = sums.owner, .kind = sums.kind, .route = sums.route}};
    header.items = in_32_bits(sums.items);
    header.rejected = in_32_bits(sums.rejected);
    header.position = {segment, kSegmentHeaderBytes};
    if (events_.on_drop) events_.on_drop(header, cursor.settings.name, DropReason::kDamaged);
  }
}

/// Asked at each scrape and each turn of upkeep: one head is read where the cursor has moved, none
/// where it has not.
LogState::Front LogState::front(const CursorState& cursor) const {
  Front found;
  // Where the segment goes while we look, its cursor has passed all of it: look again there.
  for (int looks = 0; looks < kLooksMax; ++looks) {
    Place place;
    {
      const std::lock_guard lock(mutex_);
      if (cursor.front && cursor.front->committed == cursor.committed) return *cursor.front;
      place = place_of(cursor);
    }
    found = {place.committed, 0, 0};
    if (bytes_after(place.segments, place.committed) == 0) return found;
    (void)walk_heads(files_, settings_.directory, place.segments, place.committed,
                     [&found](const RecordHeader& header) {
                       found.sequence = header.sequence;
                       found.received_ms = header.received_ms;
                       return false;
                     });
    const std::lock_guard lock(mutex_);
    if (cursor.committed != place.committed) continue;
    if (found.sequence != 0) cursor.front = found;
    return found;
  }
  return found;
}

void LogState::watch_clock() {
  const auto jump = receipts_.look(clock_.wall_ms(), clock_.steady());
  if (!jump) return;
  {
    const std::lock_guard lock(mutex_);
    ++clock_jumps_;
  }
  if (events_.on_clock_jump) events_.on_clock_jump(*jump);
}

bool LogState::expire() {
  bool has_more = false;
  for (CursorState& cursor : cursors_) {
    const CursorSettings& limits = cursor.settings;
    if (has_age(limits) || (!limits.required && limits.bytes_max > 0))
      has_more = expire_cursor(cursor) || has_more;
  }
  const std::lock_guard lock(mutex_);
  // Times of receipt are asked for only on behalf of cursors with an age: the slowest of them says
  // from where on they are still needed.
  LogPosition oldest{last_segment_ + 1, 0};
  for (const CursorState& cursor : cursors_) {
    if (has_age(cursor.settings)) oldest = std::min(oldest, cursor.committed);
  }
  receipts_.forget_before(oldest);
  return has_more;
}

bool LogState::expire_cursor(CursorState& cursor) {
  const CursorSettings& limits = cursor.settings;
  const Front first = front(cursor);
  if (first.sequence == 0) return false;
  Place place;
  {
    const std::lock_guard lock(mutex_);
    place = place_of(cursor);
  }
  const auto reason_of =
      [&, now = clock_.steady()](LogPosition position) -> std::optional<DropReason> {
    if (has_age(limits) && receipts_.age(position, now) > limits.age_max)
      return DropReason::kTooOld;
    if (limits.bytes_max > 0 && bytes_after(place.segments, position) > limits.bytes_max)
      return DropReason::kCap;
    return std::nullopt;
  };
  // The first record decides whether the disk is walked at all: records behind it are younger and
  // have fewer bytes after them.
  if (!reason_of(place.committed)) return false;
  const Piece piece =
      collect(place, [&](const RecordHeader& header) { return reason_of(header.position); });
  if (piece.is_damaged && !tell_hidden(cursor, place, piece.end.segment)) return false;
  const std::lock_guard lock(mutex_);
  drop(cursor, piece);
  return piece.is_cut;
}

bool LogState::is_oldest_passed() const {
  return !segments_.empty() && !segments_.front().is_active &&
         std::all_of(cursors_.begin(), cursors_.end(), [&](const CursorState& cursor) {
           return has_passed(cursor, segments_.front());
         });
}

bool LogState::has_passed_segment() const {
  const std::lock_guard lock(mutex_);
  return is_oldest_passed();
}

bool LogState::needs_passed_room(std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return total_bytes() + bytes > settings_.bytes_max;
}

std::optional<std::uint64_t> LogState::take_passed() {
  const std::lock_guard lock(mutex_);
  if (!is_oldest_passed()) return std::nullopt;
  const std::uint64_t number = segments_.front().number;
  segments_.erase(segments_.begin());
  pass_contents();
  contents_.forget(number);
  return number;
}

}  // namespace vigia::disk_log
