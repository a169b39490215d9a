// LogState: what a start finds in the folder. Segments say themselves where they end; where cursors
// stand, and how far sequence numbers went, stands in the cursors' file, which may be older or
// lost.
#include <algorithm>
#include <utility>

#include "libs/base/check.hpp"
#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/segment_reader.hpp"

namespace vigia::disk_log {

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

Result<CursorFile> LogState::read_cursor_file() const {
  constexpr std::size_t kCursorFileBytesMax = 1U << 20U;
  auto file = files_.open_to_read(cursors_path());
  if (!file) return forward(file);
  std::string bytes;
  if (auto read = (*file)->read_at(0, kCursorFileBytesMax, bytes); !read) return forward(read);
  return decode_cursor_file(bytes);
}

/// An error that may pass (no descriptors left, no right to read) ends the start: taken for a new
/// log it would send everything again, and write over the file that says what was sent.
Result<void> LogState::recover_cursors() {
  const auto content = read_cursor_file();
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
  forget_cursors(*content);
  return {};
}

/// Of those that the settings no longer name.
void LogState::forget_cursors(const CursorFile& file) {
  for (const auto& known : file.cursors) {
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

}  // namespace vigia::disk_log
