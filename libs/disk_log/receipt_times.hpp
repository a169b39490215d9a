// When records were received, told by the steady clock, so that no step of the wall clock makes a
// record old.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/disk_log/disk_log.hpp"

namespace vigia::disk_log {

/// How old each record is, whatever the wall clock does.
///
/// A record of this run is as old as the steady time since its receipt. Of a record that lay there
/// at the start only the wall time of its receipt is known: its age is counted from the newest such
/// record, and goes on by steady time. How long the log was closed only the wall clock can say. It
/// is believed at once if that is at most a tenth of the shortest age_max; a larger jump is
/// believed after kJumpPatience of steady time, with what the wall clock says then. A jump between
/// two records is judged likewise if it lies less than kJumpPatience before the end.
///
/// Times are kept for stretches of records, each with the time of its last record. So a record is
/// never judged older than it is, and at most kStretchMax younger.
///
/// Thread contract: recover and start from one thread, before all else; the rest from any.
class ReceiptTimes {
 public:
  /// `age_max`: the shortest that is asked about; 0: none, and nothing is kept.
  explicit ReceiptTimes(Duration age_max);

  /// A record that lies in the log at the start, in their order.
  void recover(const RecordHeader& header);
  void start(std::int64_t wall_ms, TimePoint now);

  /// Everything before `end` has been received.
  void note(LogPosition end, TimePoint now);
  /// How long ago the record at `position` was received, at least.
  Duration age(LogPosition position, TimePoint now) const;
  /// Nobody will ask about what lies before.
  void forget_before(LogPosition position);
  /// Looks at the wall clock, some times a minute: what is to be told of it.
  std::optional<ClockJump> look(std::int64_t wall_ms, TimePoint now);

  static constexpr Duration kJumpPatience = std::chrono::hours(1);
  /// Smaller jumps are heeded and not told: a restart takes some minutes now and then.
  static constexpr Duration kToldMin = std::chrono::minutes(10);
  static constexpr Duration kStretchMax = std::chrono::minutes(1);

 private:
  struct OldStretch {  // of records that lay there at the start
    LogPosition end;
    std::int64_t first_ms = 0;
    std::int64_t last_ms = 0;
  };
  struct Stretch {
    LogPosition end;
    TimePoint first;
    TimePoint last;
  };
  struct Jump {  // between two records that lay there at the start
    std::int64_t before_ms = 0;
    std::int64_t after_ms = 0;
  };

  std::int64_t jump_limit_ms() const;
  bool is_worth_telling(std::int64_t jump_ms) const;
  std::int64_t elapsed_ms(TimePoint now) const;

  const Duration age_max_;
  const Duration stretch_;
  mutable std::mutex mutex_;  // guards all below
  std::vector<OldStretch> old_;
  std::vector<Stretch> stretches_;
  std::int64_t newest_ms_ = 0;  // of the last record that lay there at the start
  std::optional<Jump> jump_;    // the last of them, if it was not taken back
  std::int64_t level_ms_ = 0;   // the latest stamp, but for jumps that were taken back
  TimePoint started_{};
  std::int64_t base_ms_ = 0;  // the wall clock at the start, as far as it is believed
  bool is_settled_ = true;    // base_ms_ is what the wall clock says
  bool is_told_ = true;       // whether it was looked at what is to be told of that
  bool was_waiting_told_ = false;
  std::int64_t offset_ms_ = 0;  // wall clock less steady time, when last looked
};

}  // namespace vigia::disk_log
