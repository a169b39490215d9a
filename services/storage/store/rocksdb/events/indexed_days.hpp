// Which days have spans or log records that no index leads to: those that an older program wrote,
// and those of which the store may have lost rows of the index since.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Thread contract: any thread.
class IndexedDays {
 public:
  /// All must outlive it. `signal` is traces or logs.
  IndexedDays(kv::OrderedStore& store, const kv::DaySet& days, const Clock& clock, Signal signal)
      : store_(store), days_(days), clock_(clock), signal_(signal) {}

  /// Once the days are loaded. Where the store has found damage since the row was written, also in
  /// an earlier process, look() is made up for. The store's errors.
  Result<void> load();
  /// Notices where the store has found damage since: all days that there are then have to be
  /// indexed once more. Once a minute at most: a disk that fails row by row would have every search
  /// begin at the first day each time. False where that was put off: rows of any day's index may be
  /// gone. The store's errors; it is then asked again the next time. Reads a folder.
  Result<bool> look();
  /// Likewise, once a second at most: a look reads folders, and a write needs it only so that few
  /// days are to be indexed once more.
  Result<void> look_at_times();
  /// Whether each item of the day has its row of the index, whoever's it is.
  bool is_indexed(std::uint32_t day) const { return day >= first_; }
  /// What of an earlier one was indexed late has to be indexed again.
  std::uint64_t epoch() const { return epoch_; }

 private:
  Result<void> begin_anew(std::uint64_t mark);

  kv::OrderedStore& store_;
  const kv::DaySet& days_;
  const Clock& clock_;
  const Signal signal_;
  std::mutex mutex_;
  std::uint64_t mark_seen_ = 0;         // under mutex_: of damage, as the row has it
  std::optional<TimePoint> begun_at_;   // under mutex_: what look() has found last
  std::optional<TimePoint> looked_at_;  // under mutex_: by look_at_times()
  std::atomic<std::uint32_t> first_{0};
  std::atomic<std::uint64_t> epoch_{0};
};

}  // namespace vigia::storage::store::rocksdb::events
