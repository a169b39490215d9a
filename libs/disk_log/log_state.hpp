// What the disk log knows of its segments and cursors: who has passed what, what may go, what must
// stay.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/disk_log/damage_notice.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/disk_log/log_contents.hpp"
#include "libs/disk_log/receipt_times.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/segment_walk.hpp"

namespace vigia::disk_log {

/// A segment that was begun.
struct NewSegment {
  std::uint64_t number = 0;
  std::uint32_t previous_end = 0;  ///< SegmentHeader::previous_end
};

/// A stretch of one segment that a cursor may read now.
struct Readable {
  LogPosition position;     ///< where to go on
  std::uint64_t limit = 0;  ///< durable up to here
  std::optional<std::uint64_t> marker = {};
};

/// Whether records grow too old for the cursor: never for one that must have all of them.
bool has_age(const CursorSettings& cursor);

/// The sums of a whole segment go into a header made for one record: at the limit they are told as
/// the limit, since a wrapped count would say that almost nothing was lost.
std::uint32_t in_32_bits(std::uint64_t count);

/// Thread contract: one mutex inside, never held while the disk is read. Segments come and go, and
/// records are dropped, on the writer's thread alone (recover: before it runs); the rest from any.
/// A walk over heads works on a copy of what it needs; what it finds is dropped afterwards, under
/// the mutex, unless its cursor has passed it meanwhile: nothing is counted twice.
class LogState {
 public:
  LogState(const DiskLogSettings& settings, const Clock& clock, FileSystem& files,
           DiskLogEvents events);

  /// Reads what is in the folder. Before anything else, once.
  Result<void> recover();

  // The writer's side.
  NewSegment begin_segment(std::uint64_t marker);
  /// The active segment is durable up to `end`, its last record being `last_sequence`.
  void extend(std::uint64_t end, std::uint64_t last_sequence);
  void close_active();
  /// The active segment holds nothing: it is forgotten.
  void forget_active();
  /// Numbers up to this one are not given again: records that were refused may still bear them.
  void skip_sequences(std::uint64_t last);
  std::uint64_t next_sequence() const;
  /// Drops the oldest segments, as far as the cursors allow it, until `bytes` more fit. An error
  /// where they do not: a required cursor is in the way, or what is to go can't be read at present
  /// for a reason that may pass. Nothing is dropped uncounted.
  Result<void> make_room(std::uint64_t bytes);
  /// True where `bytes` more do not fit and a required cursor is why.
  bool is_blocked(std::uint64_t bytes) const;
  /// Applies age_max and bytes_max of the cursors that are not required, for each of them to
  /// kPieceRecordsMax records or kPieceTimeMax: appends are not to wait for a long backlog. True
  /// where there is more to do.
  bool expire();
  /// Compares the clocks, and tells of a jump.
  void watch_clock();
  /// Who holds what of the log; the shares of owners.
  LogContents& contents() { return contents_; }
  const LogContents& contents() const { return contents_; }
  /// The oldest segment where every cursor has passed it, to be removed from the disk by the
  /// caller.
  std::optional<std::uint64_t> take_passed();
  bool has_passed_segment() const;
  /// True where `bytes` more do not fit beside what all cursors have passed and is still there.
  bool needs_passed_room(std::uint64_t bytes) const;
  /// The cursors' file content, where a commit has come since the last call, or a longer end was
  /// not noted for kEndNotedEach.
  std::optional<std::string> take_dirty_cursors();
  void mark_dirty();

  // The cursors' side. `index` is the cursor's place in the settings.
  std::size_t cursor_index(std::string_view name) const;
  const std::string& cursor_name(std::size_t index) const;
  LogPosition committed(std::size_t index) const;
  LogPosition commit(std::size_t index, LogPosition position);
  /// Waits until something can be read at or after `from`. Nothing at the deadline or after an
  /// interrupt.
  std::optional<Readable> wait_readable(std::size_t index, LogPosition from,
                                        std::chrono::steady_clock::time_point deadline);
  void wait_until_readable(std::uint64_t sequence);
  void interrupt(std::size_t index);
  void interrupt_all();
  bool holds(std::uint64_t segment) const;
  std::uint64_t lost(std::size_t index) const;
  /// Both: true where the cursor has not met it before.
  bool count_damaged_record(std::size_t index, const RecordHeader& header);
  bool count_damaged_passage(std::size_t index, LogPosition begin);
  /// Tells the owner, of kSkipsToldMax passages in kSkipsToldIn; the last of them says so.
  void report_skip(SkippedPassage skipped);
  /// Segments in which damage was found since the last call.
  std::set<std::uint64_t> take_damaged_segments();
  DamageNotice& notice() { return notice_; }

  /// Fills in what this class knows: bytes, segments, damage, cursors.
  void add_stats(DiskLogStats& stats) const;
  std::string path_of(std::uint64_t number) const;
  std::string cursors_path() const { return settings_.directory + "/cursors"; }

  static constexpr std::size_t kPieceRecordsMax = 1024;
  static constexpr std::size_t kPieceNoteBytesMax = 4U << 20U;
  static constexpr auto kPieceTimeMax = std::chrono::milliseconds(20);
  static constexpr std::size_t kSkipsToldMax = 100;
  static constexpr Duration kSkipsToldIn = std::chrono::hours(1);
  static constexpr Duration kEndNotedEach = std::chrono::seconds(5);

 private:
  struct Front {  // the first record at or after a cursor's committed position
    LogPosition committed;
    std::uint64_t sequence = 0;  // 0: there is none
    std::int64_t received_ms = 0;
  };
  struct CursorState {
    CursorSettings settings;
    LogPosition committed;
    std::uint64_t lost = 0;
    bool is_new = true;  // not in the file of cursors
    bool is_interrupted = false;
    std::set<LogPosition> damaged;   // counted as dropped, not yet passed
    std::set<LogPosition> passages;  // damaged ones, not yet passed
    // Told of as dropped because it can't be read, by segment.
    std::map<std::uint64_t, std::vector<RecordSums>> told;
    mutable std::optional<Front> front;  // cache; stale where its committed differs
  };
  struct Doomed {
    RecordHeader header;
    DropReason reason;
  };
  struct Piece {
    std::vector<Doomed> records;
    LogPosition end;
    bool is_cut = false;              // by a limit: there may be more
    bool is_damaged = false;          // some of it could not be read
    std::optional<Error> fault = {};  // it ends where the disk could not be read, which may pass
  };
  /// Why a record is to be dropped; nothing ends the piece.
  using Judge = std::function<std::optional<DropReason>(const RecordHeader&)>;
  struct Place {  // what a walk from a cursor needs
    LogPosition committed;
    std::vector<Segment> segments;
  };

  Result<void> recover_segments(const std::vector<std::string>& names);
  Result<CursorFile> read_cursor_file() const;
  Result<void> recover_cursors();
  void forget_cursors(const CursorFile& file);
  void recover_end();
  void recover_sequence();
  void recover_losses();
  void recover_cuts();
  void recover_cut(std::uint64_t number, std::uint64_t end);
  Result<void> recover_contents();
  void pass_contents();
  void note_damage(LogPosition position);
  bool has_passed(const CursorState& cursor, const Segment& segment) const;
  bool is_oldest_passed() const;
  bool is_held_by_required(const Segment& segment) const;
  /// A copy of what lies at or after the cursor.
  Place place_of(const CursorState& cursor) const;
  Piece collect(const Place& from, const Judge& judge) const;
  void drop(CursorState& cursor, const Piece& piece);
  Result<void> drop_segment(CursorState& cursor, const Segment& segment);
  bool expire_cursor(CursorState& cursor);
  std::optional<Segment> find_segment(std::uint64_t number) const;
  Result<void> tell_hidden(CursorState& cursor, const Place& place, std::uint64_t last_segment);
  Result<std::vector<RecordSums>> find_hidden(std::uint64_t segment, LogPosition from,
                                              std::uint64_t told_bytes) const;
  void tell(CursorState& cursor, std::uint64_t segment, const std::vector<RecordSums>& hidden);
  Front front(const CursorState& cursor) const;
  std::uint64_t total_bytes() const;
  void move(CursorState& cursor, LogPosition position);

  const DiskLogSettings& settings_;
  const Clock& clock_;
  FileSystem& files_;
  DiskLogEvents events_;
  LogContents contents_;
  ReceiptTimes receipts_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Segment> segments_;
  std::vector<CursorState> cursors_;
  std::uint64_t last_segment_ = 0;
  LogPosition last_end_;   // durable, of the segment that was written or found last
  LogPosition noted_end_;  // the one that was told last to whoever writes the file of cursors
  TimePoint noted_at_{};
  std::map<std::uint64_t, std::uint64_t> known_ends_;  // of segments, by what else is on disk
  std::uint64_t next_sequence_ = 1;
  bool is_dirty_ = false;
  std::set<LogPosition> damage_;
  std::uint64_t damaged_records_ = 0;
  std::set<std::uint64_t> damaged_segments_;  // not yet taken
  DamageNotice notice_;
  TimePoint skips_from_{};  // of the hour of which skips_told_ counts
  std::size_t skips_told_ = 0;
  std::uint64_t clock_jumps_ = 0;
};

}  // namespace vigia::disk_log
