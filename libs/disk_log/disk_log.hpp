// The disk log: what was accepted is on disk before it is acknowledged, and stays there until every
// reader has passed it. Buffer of the agent, queue of the collector, write-ahead log of storage.
// Format: docs/formats/disk-log.md.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/disk_log/file_system.hpp"

namespace vigia::disk_log {

/// How a record's body is compressed, by its sender. Plain bodies are LZ4-compressed by the log and
/// come back plain; the others are kept and given back as they are.
enum class BodyEncoding : std::uint8_t { kPlain = 0, kGzip = 1, kZstd = 2, kSnappy = 3 };

/// A place between two records. Ordered; the default stands before every record.
struct LogPosition {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const LogPosition&) const = default;
};

/// Whose a record is and what, in the words of who writes it. The log keeps them and sums by owner,
/// kind and route, and knows no meaning of any.
struct RecordTag {
  std::string owner = {};  ///< at most kOwnerBytesMax; shares go by it
  std::uint8_t kind = 0;
  std::string route = {};  ///< at most kRouteBytesMax: who takes it
  std::string note = {};   ///< at most kNoteBytesMax: what is to be known beside the body
};

/// What is known of a record without its body.
struct RecordHeader {
  RecordTag tag = {};
  BodyEncoding encoding = BodyEncoding::kPlain;
  std::uint32_t items = 0;       ///< points, spans or log records in the body
  std::uint32_t rejected = 0;    ///< of these, refused by who wrote it
  std::int64_t received_ms = 0;  ///< wall clock

  // Set by the log.
  std::uint64_t sequence = 0;      ///< 1, 2, 3, … over the log's whole life; a gap is a lost record
  LogPosition position = {};       ///< where the record begins
  LogPosition next = {};           ///< where the one after it begins: commit this when it is done
  std::uint32_t stored_bytes = 0;  ///< on disk, all of it
};

struct DiskRecord {
  RecordHeader header;
  std::string body = {};
  /// It was acknowledged elsewhere and only moves here: its owner's share is not asked, as it was
  /// where the record came in. Not on disk.
  bool is_moved = false;
  /// In the place of `body`, where the log still has it in memory: one for all who read it.
  std::shared_ptr<const std::string> recent = {};
  std::string_view bytes() const { return recent ? std::string_view(*recent) : body; }
};

inline constexpr std::size_t kOwnerBytesMax = 125;
inline constexpr std::size_t kRouteBytesMax = 255;
inline constexpr std::size_t kNoteBytesMax = (16U << 20U) - 1;
inline constexpr int kUnreadableTriesMin = 3;
/// A decoded OTLP body (64 MiB) with room for framing.
inline constexpr std::size_t kRecordBytesMax = 96U << 20U;

/// Why a cursor was moved past records that it had not committed.
enum class DropReason : std::uint8_t {
  kTooOld,   ///< older than the cursor's age_max
  kCap,      ///< the log or the cursor's share was full
  kDamaged,  ///< the body failed its checksum, or the reader knows no such tag
};
std::string_view to_string(DropReason reason);  ///< "too_old", "cap", "damaged"

struct CursorSettings {
  std::string name = {};  ///< of an exporter: letters, digits and -_./ ; any other is kInvalid
  /// True: at the log's cap append is refused, retryably, rather than lose what this cursor still
  /// needs. False: the oldest records are skipped, counted.
  bool required = true;
  Duration age_max{0};          ///< records older than this are skipped, counted; 0: never
  std::uint64_t bytes_max = 0;  ///< skipped where it lags by more; 0: the log's own cap only
  bool reads_on = true;  ///< false: it reads what lies there at the start, and commits afterwards
};

struct DiskLogSettings {
  std::string directory;
  std::vector<CursorSettings> cursors;       ///< the only ones that hold segments back
  std::uint64_t segment_bytes = 16U << 20U;  ///< a segment is closed when it passes this
  std::uint64_t bytes_max = 10ULL << 30U;    ///< all segments together
  /// Share of bytes_max that one owner's records may hold, once more than half of it is held for
  /// required cursors; it shrinks with the room that is left in the last quarter. What is over it
  /// is refused (kOverLimit), the others' goes on. 0: none, for a log of one owner.
  double owner_share = 0.25;
  std::string owner_word = "owner";            ///< what an owner is called where one is told of
  std::size_t pending_bytes_max = 64U << 20U;  ///< appended, not yet written; more is refused
  /// Plain bodies of the newest records that stay in memory until every cursor has read them, what
  /// waits to be written and what readers have in hand among them: DiskRecord::recent. 0: none.
  std::size_t recent_bytes_max = 0;
  /// The least time from one fdatasync to the next: what comes meanwhile shares the next one, and
  /// waits so long for its answer at most. 0: none.
  Duration sync_gap{0};
  Duration cursor_interval = std::chrono::milliseconds(200);  ///< commits reach the disk this often
  Duration full_retry_interval = std::chrono::seconds(1);     ///< how often a full disk is tried
  /// A cursor that meets what the device cannot read tries again for so long, at least
  /// kUnreadableTriesMin times, before it goes on behind it: a fault that passes loses nothing.
  Duration unreadable_patience = std::chrono::seconds(30);
};

struct CursorStats {
  std::string name;
  std::uint64_t queued_records = 0;
  std::uint64_t queued_bytes = 0;  ///< on disk, from the cursor to the end
  std::int64_t oldest_ms = 0;      ///< received_ms of the oldest queued record; 0: none
  /// How long ago that was by steady time, at least; kept where a cursor has an age_max, else 0.
  Duration oldest_age{0};
};

/// What an owner holds of a log for required cursors, by segments not yet passed.
struct OwnerBytes {
  std::string owner;
  std::uint64_t bytes = 0;
};

struct DiskLogStats {
  std::uint64_t bytes = 0;  ///< all segments
  std::uint64_t segments = 0;
  LogPosition end;  ///< durable is what lies before; what is answered now may lie behind
  std::uint64_t appended_records = 0;  ///< since open, durable
  std::uint64_t refused_records = 0;   ///< since open, their appenders were told
  std::uint64_t syncs = 0;
  std::uint64_t sync_failures = 0;
  std::uint64_t damaged_records = 0;  ///< passages skipped by any reader since open
  /// Damage was found, and has not been shown for an hour yet (DamageNotice): over a restart too.
  bool is_damage_recent = false;
  std::uint64_t clock_jumps = 0;  ///< times that on_clock_jump was told, since open
  bool is_full = false;           ///< appends are refused now: cap or disk
  std::vector<CursorStats> cursors;
};

/// A passage behind which a cursor goes on: its bytes are not what was written; or the device could
/// not read it for as long as unreadable_patience; or it lay at the end of a segment and is not
/// there any more.
struct SkippedPassage {
  std::string cursor;
  std::string path;         ///< of the segment
  std::uint64_t begin = 0;  ///< in the file
  std::uint64_t end = 0;
  std::string why;  ///< the system's words, or what is wrong; what is known of the cost
};

/// The wall clock does not go with the steady one, by more than a tenth of the shortest age_max.
/// What lies in the log does not grow old by it, but for kBelieved.
struct ClockJump {
  enum class What : std::uint8_t {
    kIgnored,   ///< within this run
    kWaiting,   ///< since the newest record before the start; believed if it is still so in an hour
    kBelieved,  ///< that hour is over: what lay there at the start is by so much older
  };
  Duration by{0};  ///< positive: the wall clock is ahead
  What what = What::kIgnored;
};

/// What the log tells its owner, besides the answers to appends. Any of them may be empty.
struct DiskLogEvents {
  /// A record waits for the cursor at the start. Runs in open, for each such record once, before
  /// any can be dropped, given or appended. Records on pages that cannot be read are not known.
  std::function<void(const RecordHeader&, std::string_view cursor)> on_queued = {};
  /// A cursor that the settings no longer name had `bytes` of records before it. They are not kept
  /// for it any longer. Runs in open, once: the next file of cursors does not know it.
  std::function<void(std::string_view cursor, std::uint64_t bytes)> on_forgotten = {};
  /// The file that says how far each cursor is was damaged: all begin with the oldest record, and
  /// what was read already is given once more. Runs in open, once; the file is written anew.
  std::function<void(const std::string& path, const std::string& why)> on_cursors_lost = {};
  /// A cursor was moved past a record; or past all those of one owner, kind and route that
  /// cannot be read in a segment: items and rejected are their sums then, position is the segment's
  /// begin, sequence 0. Runs on a thread of the log or of a reader with the log's lock held: count
  /// and return.
  std::function<void(const RecordHeader&, std::string_view cursor, DropReason reason)> on_drop = {};
  /// Runs on the cursor's thread, no lock held; of what is missing at the end of a segment in open,
  /// once for each cursor that had not passed it. Of one passage once for each cursor, of all a
  /// hundred an hour: the last of these says so. What of the passage is known by its head is told
  /// to on_drop as well (kDamaged).
  std::function<void(const SkippedPassage&)> on_skip = {};
  /// Runs on the log's writer thread, no lock held.
  std::function<void(const ClockJump&)> on_clock_jump = {};
};

/// One named reader. It outlives a restart: its position is kept in `<directory>/cursors`.
/// Thread contract: next, pass_over and rewind from one thread; commit and the rest from any.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// The record at the read position, which moves past it (it starts at the committed position).
  /// Waits up to `wait` for one, nothing where none came. Only durable records are given. Damaged
  /// passages are skipped and counted. kUnavailable where the disk cannot be read: call again. A
  /// device's own fault (EIO, a segment that is gone) is passed over once unreadable_patience is
  /// over: the pages at fault, and with them the records that lie on them, no others. A fault of
  /// another kind (no descriptors left, no right to read) is waited out: nothing is lost by it.
  virtual Result<std::optional<DiskRecord>> next(Duration wait) = 0;
  /// The record that next has given names nobody whom its reader knows: it is counted and told as
  /// damage, once, and its segment is kept (kDamaged; `why` in on_skip). It is passed like any
  /// other, by commit. As next.
  virtual void pass_over(const RecordHeader& header, std::string why) = 0;
  /// Everything before `position` is done. Returns where the cursor was committed before: of
  /// records that begin before that the log has already disposed (dropped, counted), so they are
  /// not to be counted as sent. A position behind the committed one changes nothing. Reaches the
  /// disk within cursor_interval, and at close; after a kill some records may be read again.
  virtual LogPosition commit(LogPosition position) = 0;
  virtual LogPosition committed() const = 0;
  /// Puts the read position back to the committed one.
  virtual void rewind() = 0;
  /// How many records and damaged passages the log has moved this cursor past, over its whole life;
  /// those before a new cursor's first record count too. Reaches the disk together with the
  /// position: where it has not changed since a reader last looked, be it before a restart, that
  /// reader has missed nothing.
  virtual std::uint64_t lost() const = 0;
  /// Wakes a thread that waits in `next`, which then returns nothing; so do later calls' waits.
  virtual void interrupt() = 0;
};

/// Thread contract: append, cursor and stats from any thread; open and the destructor from one.
class DiskLog {
 public:
  /// What is held of the newest records (recent_bytes_max) is let go, but for what readers have in
  /// hand: cursors read it from the disk. What comes from then on is held as before.
  virtual void let_go_of_recent() {}
  /// Called once: with the record's header as it is on disk, fdatasync done; or with an error,
  /// retryable where the log or disk is full or failed (kUnavailable) or the owner is over its
  /// share (kOverLimit). Runs on the log's writer thread (a refusal
  /// that is known at once: on the caller's) and must not block or call the log. It runs before any
  /// cursor gives the record, so what is counted here is counted before it is read.
  using Done = Task<void(const Result<RecordHeader>&)>;

  /// Locks the folder, recovers what is there, starts the writer thread. kUnavailable, naming the
  /// folder, where another process holds it or it cannot be written.
  static Result<std::unique_ptr<DiskLog>> open(DiskLogSettings settings, const Clock& clock,
                                               DiskLogEvents events = {},
                                               FileSystem& files = system_files());
  /// Writes and syncs what was appended, commits the cursors, lets the folder go. Cursors end here.
  virtual ~DiskLog() = default;

  /// Takes the record over. Batches of appends from all threads share one fdatasync. A failed sync
  /// is never trusted again: the segment is closed as it is and its unsynced records refused.
  virtual void append(DiskRecord record, Done done) = 0;
  /// Records of one owner that belong together: all of them are admitted, written and synced at
  /// once, or none is. `done` has the last one's header. REQUIRES: there is one.
  virtual void append_all(std::vector<DiskRecord> records, Done done) = 0;
  /// The same, waiting; afterwards the cursors give the record.
  virtual Result<RecordHeader> append_and_wait(DiskRecord record) = 0;

  /// The cursor of that name. REQUIRES: it is one of the settings'.
  virtual Cursor& cursor(std::string_view name) = 0;
  virtual DiskLogStats stats() const = 0;
  /// kOverLimit where a record of that owner would be refused now for the owner's share.
  virtual Result<void> check_share(const std::string& owner) const = 0;
  /// Who holds how much of the log, what is being written among it.
  virtual std::vector<OwnerBytes> held_by_owner() const = 0;
  /// Writes the cursors' positions to disk now.
  virtual Result<void> sync_cursors() = 0;
};

}  // namespace vigia::disk_log
