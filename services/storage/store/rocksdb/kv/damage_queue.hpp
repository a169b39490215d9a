// Tables that turned out to be damaged and wait to be set aside.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "libs/base/clock.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// The pause before a table that could not be set aside is tried again: the first, doubled from
/// time to time up to the longest.
inline constexpr Duration kDamagePauseFirst = std::chrono::seconds(2);
inline constexpr Duration kDamagePauseMax = std::chrono::minutes(1);

/// Thread contract: any thread; nothing blocks but wait.
class DamageQueue {
 public:
  /// Number of the table → who said so. 0: a table that is not known yet.
  using Found = std::map<std::uint64_t, std::string>;

  /// `clock` must outlive it; its steady time alone counts.
  explicit DamageQueue(const Clock& clock) : clock_(clock) {}

  /// False where setting that table aside was tried and did not help: nothing is to be expected.
  /// One that is put off stays so, however often it is met.
  bool add(std::uint64_t table, const std::string& reason);
  /// One that cannot be set aside now, the disk being full: wait gives it again after a pause,
  /// which grows each time.
  void put_off(std::uint64_t table, const std::string& reason);
  /// It is set aside, or gone: the next pause is the first again.
  void settle(std::uint64_t table);
  void give_up(std::uint64_t table);
  bool has_put_off() const;  ///< and neither settled nor given up
  /// Up to `patience`; everything found since and whatever was put off long enough, or nothing.
  Found wait(Duration patience);
  void stop();
  bool is_stopping() const;

 private:
  struct PutOff {
    std::string reason;
    TimePoint due;
    Duration pause{};
    bool is_waiting = false;  // else it is being tried
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Found found_;
  std::map<std::uint64_t, PutOff> put_off_;
  std::set<std::uint64_t> hopeless_;
  bool is_stopping_ = false;
};

}  // namespace vigia::storage::store::rocksdb::kv
