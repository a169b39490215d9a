#include "libs/disk_log/log_state.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "libs/base/check.hpp"
#include "libs/disk_log/segment_reader.hpp"

namespace vigia::disk_log {
namespace {

/// Places of damage remembered, so that several cursors count one passage once.
constexpr std::size_t kDamageRememberedMax = 4096;
/// Looks for a cursor's first record before its place is given as of a moment ago.
constexpr int kLooksMax = 8;

constexpr std::string_view kFull =
    "the disk log is full of data that a required destination has not taken yet";

bool has_age(const CursorSettings& cursor) {
  return !cursor.required && cursor.age_max > Duration::zero();
}

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

bool is_same_kind(const RecordSums& sums, const RecordSums& other) {
  return sums.customer == other.customer && sums.signal == other.signal &&
         sums.route == other.route;
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
  return {header.customer, header.signal,   header.route,       1,
          header.items,    header.rejected, header.stored_bytes};
}

std::uint64_t bytes_of(const std::vector<RecordSums>& all) {
  std::uint64_t bytes = 0;
  for (const RecordSums& sums : all) bytes += sums.bytes;
  return bytes;
}

/// The sums of a whole segment go into a header made for one record: at the limit they are told as
/// the limit, since a wrapped count would say that almost nothing was lost.
std::uint32_t in_32_bits(std::uint64_t count) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

LogState::LogState(const DiskLogSettings& settings, const Clock& clock, FileSystem& files,
                   DiskLogEvents events)
    : settings_(settings),
      clock_(clock),
      files_(files),
      events_(std::move(events)),
      contents_(settings.bytes_max, has_required(settings.cursors) ? settings.customer_share : 0),
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

std::string LogState::path_of(std::uint64_t number) const {
  return segment_path(settings_.directory, number);
}

Result<void> LogState::recover() {
  notice_.recover();
  // The order counts. Cursors need the segments, to tell how much a forgotten one leaves. Losses
  // need the next number; cuts need the losses, since both move `lost`. The contents come last, so
  // that on_queued is told of no record that a cut has already moved a cursor past.
  auto names = files_.list(settings_.directory);
  if (!names) return forward(names);
  if (auto read = recover_segments(*names); !read) return read;
  if (auto read = recover_cursors(); !read) return read;
  recover_sequence();
  recover_losses();
  recover_cuts();
  if (auto read = recover_contents(); !read) return read;
  pass_contents();
  receipts_.start(clock_.wall_ms(), clock_.steady());
  return {};
}

Result<void> LogState::recover_segments(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto number = segment_number(name);
    if (!number) continue;
    auto file = files_.open_to_read(path_of(*number));
    if (!file) return forward(file);
    auto size = (*file)->size();
    if (!size) return forward(size);
    // Counted also where the segment goes at once: a number that is used again would bring back a
    // place that some cursor has passed.
    last_segment_ = std::max(last_segment_, *number);
    if (*size <= kSegmentHeaderBytes) {  // made, and nothing acknowledged in it
      // A header is written as a whole: a part of one is what a cut left, of whatever was there.
      if (*size > 0 && *size < kSegmentHeaderBytes) note_damage({*number, kSegmentHeaderBytes});
      if (auto removed = files_.remove(path_of(*number)); !removed) return removed;
      continue;
    }
    const auto reader = SegmentReader::open(*std::move(file), *number, ReadDepth::kHeads);
    // Damage is no reason not to start: the segment stays, its length known from the file system,
    // and the reader skips what it can't read.
    if (!reader && reader.error().code == ErrorCode::kInvalid)  // of a later version
      return tl::unexpected<Error>(with_context(path_of(*number), reader.error()));
    segments_.push_back({*number, *size, false, reader ? reader->marker() : std::nullopt});
    if (reader && reader->previous_end() > 0) known_ends_[*number - 1] = reader->previous_end();
  }
  recover_end();
  return {};
}

/// What a kill left behind the last sync may still go with the power: where the newest segment ends
/// is told on disk only once that end is there.
void LogState::recover_end() {
  if (segments_.empty()) return;
  const Segment& newest = segments_.back();
  const auto file = files_.open_to_read(path_of(newest.number));
  if (file && (*file)->sync()) last_end_ = {newest.number, newest.bytes};
}

/// An error that may pass (no descriptors left, no right to read) ends the start: taken for a new
/// log it would send everything again, and write over the file that says what was sent.
Result<void> LogState::recover_cursors() {
  constexpr std::size_t kCursorFileBytesMax = 1U << 20U;
  const auto content = [&]() -> Result<CursorFile> {
    auto file = files_.open_to_read(cursors_path());
    if (!file) return forward(file);
    std::string bytes;
    if (auto read = (*file)->read_at(0, kCursorFileBytesMax, bytes); !read) return forward(read);
    return decode_cursor_file(bytes);
  }();
  if (!content && content.error().code == ErrorCode::kUnavailable)
    return tl::unexpected<Error>(with_context(cursors_path(), content.error()));
  if (!content) {
    // A new log: every cursor stands before the first record. So it does where the file is damaged:
    // all is read once more, which no reader minds; silence would be worse.
    if (content.error().code == ErrorCode::kNotFound) return {};
    ++damaged_records_;
    notice_.found();
    if (events_.on_cursors_lost) events_.on_cursors_lost(cursors_path(), content.error().message);
    return {};
  }
  // Numbers of records whose segments are gone are known from here alone; recover_sequence adds
  // what was written since.
  next_sequence_ = std::max(next_sequence_, content->next_sequence);
  const LogPosition newest = content->newest_end;
  if (newest.offset > 0) {
    std::uint64_t& known = known_ends_[newest.segment];
    known = std::max(known, newest.offset);
    last_segment_ = std::max(last_segment_, newest.segment);
  }
  for (CursorState& cursor : cursors_) {
    const auto found = content->cursors.find(cursor.settings.name);
    if (found == content->cursors.end()) continue;
    cursor.committed = found->second.position;
    cursor.lost = found->second.lost;
    cursor.is_new = false;
  }
  for (const auto& known : content->cursors) {
    const LogPosition position = known.second.position;
    last_segment_ = std::max(last_segment_, position.segment);
    const bool is_named = std::any_of(
        cursors_.begin(), cursors_.end(),
        [&known](const CursorState& cursor) { return cursor.settings.name == known.first; });
    if (is_named) continue;
    is_dirty_ = true;
    const std::uint64_t left = bytes_after(segments_, position);
    if (left > 0 && events_.on_forgotten) events_.on_forgotten(known.first, left);
  }
  return {};
}

/// Backwards, until a segment has a head that can be read: numbers only grow, so those before hold
/// none that is larger. A gap in the numbers is told to readers as lost records, a number given
/// twice would be told to nobody; so what can't be read counts as the smallest records that fit.
void LogState::recover_sequence() {
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    std::uint64_t last = 0;
    const auto unreadable = walk_heads(files_, settings_.directory, {*segment}, {},
                                       [&last](const RecordHeader& header) {
                                         last = std::max(last, header.sequence);
                                         return true;
                                       });
    next_sequence_ = std::max(next_sequence_, last + 1);
    // Numbers of records that can't be read now, and may be later, are not given again.
    const std::uint64_t hidden = unreadable ? unreadable->unreadable_bytes : segment->bytes;
    if (hidden > 0) next_sequence_ += hidden / kRecordPrefixBytes + 1;
    if (last > 0) return;
  }
}

/// What went before a new cursor came: it may be one that was configured before and has missed
/// what was removed meanwhile.
void LogState::recover_losses() {
  for (CursorState& cursor : cursors_) {
    if (!cursor.is_new) continue;
    const Front first = front(cursor);
    cursor.lost = (first.sequence == 0 ? next_sequence_ : first.sequence) - 1;
    is_dirty_ = true;
  }
}

Result<void> LogState::recover_contents() {
  const auto walked =
      walk_heads(files_, settings_.directory, segments_, {}, [this](const RecordHeader& header) {
        contents_.recover(header);
        receipts_.recover(header);
        for (const CursorState& cursor : cursors_) {
          if (events_.on_queued && header.position >= cursor.committed)
            events_.on_queued(header, cursor.settings.name);
        }
        return true;
      });
  if (!walked) return forward(walked);
  return {};
}

/// The customers' shares are free of what every required cursor has passed.
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
  std::size_t verdict_bytes = 0;
  const auto time_limit = std::chrono::steady_clock::now() + kPieceTimeMax;
  const auto walked = walk_heads(files_, settings_.directory, from.segments, from.committed,
                                 [&](const RecordHeader& header) {
                                   const auto reason = judge(header);
                                   if (!reason) return false;
                                   verdict_bytes += header.verdicts.size();
                                   piece.end = header.next;
                                   piece.records.push_back({header, *reason});
                                   piece.is_cut = piece.records.size() >= kPieceRecordsMax ||
                                                  verdict_bytes >= kPieceVerdictBytesMax ||
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
    RecordHeader header{.customer = sums.customer, .signal = sums.signal};
    header.items = in_32_bits(sums.items);
    header.rejected = in_32_bits(sums.rejected);
    header.route = sums.route;
    header.position = {segment, kSegmentHeaderBytes};
    if (events_.on_drop) events_.on_drop(header, cursor.settings.name, DropReason::kDamaged);
  }
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

std::optional<std::string> LogState::take_dirty_cursors() {
  const std::lock_guard lock(mutex_);
  if (!is_dirty_) return std::nullopt;
  is_dirty_ = false;
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
