// LogState: segments that end before what was written to them. A file system may lose the end of a
// file, and where that is cut between two records nothing in the segment itself says so.
#include <algorithm>

#include <fmt/format.h>

#include "libs/disk_log/log_state.hpp"

namespace vigia::disk_log {
namespace {

// As far as sequence numbers tell: those of records that were refused are among them.
std::string reason(std::uint64_t missing, std::uint64_t bytes) {
  std::string text = fmt::format("the file has lost its end: {} bytes are missing", bytes);
  if (missing > 0) text += fmt::format(", of {} records at most", missing);
  return text;
}

}  // namespace

/// Each segment's header says where the one before it ended, the file of cursors where the newest
/// did.
void LogState::recover_cuts() {
  for (const auto& [number, end] : known_ends_) {
    const auto segment = find_segment(number);
    if (!segment || segment->bytes < end) recover_cut(number, end);
  }
  known_ends_.clear();
}

/// Counts what is missing for each cursor that still needs it. One that had read some of it goes on
/// behind it. A file that is gone is missing to those alone that are known to need it: the others
/// have passed it, and so it was removed.
void LogState::recover_cut(std::uint64_t number, std::uint64_t end) {
  const auto segment = find_segment(number);
  LogPosition begin{number, kSegmentHeaderBytes};
  std::uint64_t last = 0;
  std::uint64_t next = next_sequence_;
  std::vector<Segment> around;
  std::copy_if(segments_.begin(), segments_.end(), std::back_inserter(around),
               [&](const Segment& one) { return one.number >= number; });
  // Two numbers bracket what is missing: the last one before the cut and the first one in the
  // segment behind it.
  (void)walk_heads(files_, settings_.directory, around, {}, [&](const RecordHeader& header) {
    if (header.position.segment > number) {
      next = header.sequence;
      return false;
    }
    last = header.sequence;
    begin = header.next;
    return true;
  });
  const std::uint64_t missing = last > 0 && next > last ? next - last - 1 : 0;
  const LogPosition behind{number, end};
  bool is_needed = false;
  for (CursorState& cursor : cursors_) {
    if (cursor.committed >= behind || (!segment && cursor.is_new)) continue;
    is_needed = true;
    ++cursor.lost;
    is_dirty_ = true;
    report_skip({cursor.settings.name, path_of(number), begin.offset, end,
                 reason(missing, end - begin.offset)});
    // A cursor that stands in the missing part would read a hole; one that stands before it will
    // come to the hole by itself, and must not count it again.
    if (cursor.committed >= begin)
      move(cursor, behind);
    else
      cursor.passages.insert(begin);
  }
  if (is_needed) note_damage(begin);
}

}  // namespace vigia::disk_log
