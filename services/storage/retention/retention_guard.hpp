// Decides how late it is for the expiry, whose deletions nobody can take back.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::retention {

/// A wall clock that was ahead once, for whatever reason, must delete nothing. So the time that
/// counts is the earlier of the wall clock and the records that come in (and an hour); and where it
/// has moved on much further than this process has run, it counts only after it has gone on evenly
/// for an hour of steady time, or when a person says that it is right. The last time that counted
/// is kept in a file (docs/formats/cold-store.md). Thread contract: any thread.
class RetentionGuard {
 public:
  /// `shortest_keep`: of all retentions but "for ever". `clock` must outlive it.
  RetentionGuard(std::string state_file, Duration shortest_keep, const Clock& clock);

  /// The time up to which age may be counted; nothing while that is in doubt. `newest_ms`: the time
  /// by the records since the start, 0 where none came: then nothing has grown older.
  std::optional<TimestampMs> now(TimestampMs newest_ms);
  /// The time by which `now` would expire, where it would, else the last that counted; 0 where none
  /// is known. Decides nothing and keeps nothing: for what can be taken back, as what reads give.
  TimestampMs known_ms(TimestampMs newest_ms) const;
  /// A person says that the time that is in doubt now is right: the next `now` counts. False where
  /// none is in doubt.
  bool confirm();
  /// Why nothing expires; "" where it does.
  std::string held_because() const;

 private:
  TimestampMs careful_ms(TimestampMs newest_ms) const;
  bool is_plausible(TimestampMs now_ms) const;
  bool is_sure(TimestampMs now_ms);
  void accept(TimestampMs now_ms);
  void load();

  const std::string state_file_;
  const Duration shortest_keep_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  TimestampMs last_ms_ = 0;  // the last time that counted; 0: not known
  TimePoint last_at_;        // when, or this process' start
  std::optional<TimePoint> held_since_;
  TimestampMs held_ms_ = 0;  // the time in doubt, as it was then
  bool is_confirmed_ = false;
  std::string why_;
};

}  // namespace vigia::storage::retention
