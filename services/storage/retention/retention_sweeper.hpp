// Forgets what is older than its retention, whole days at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/customers/record_times.hpp"
#include "services/storage/retention/retention_guard.hpp"
#include "services/storage/store/expiry_cuts.hpp"

namespace vigia::storage::retention {

/// One kind of data.
struct RetentionRule {
  std::string name;  ///< in logs: "raw"
  /// Before what time whose data go, where it is `now_ms`; 0: for ever.
  std::function<store::ExpiryCuts(TimestampMs now_ms)> cuts;
  /// Forgets what is older; returns of how many days something went.
  std::function<Result<std::size_t>(const store::ExpiryCuts& cuts)> expire;
};

/// Of a rule that is the same for all customers. `keep` 0: for ever.
std::function<store::ExpiryCuts(TimestampMs now_ms)> cuts_after(Duration keep);

/// What stands around each rule, from before its cuts are taken until it is done.
struct SweepGate {
  /// False: the rule waits for the next time, and there is no end.
  std::function<bool()> begin = [] { return true; };
  std::function<void()> end = [] {};
  /// Another number where what a sweep goes by is another: it is not waited for `interval` then, as
  /// who is kept longer finds again what was hidden of his only with a sweep. Asked each second.
  std::function<std::uint64_t()> changes = [] { return 0U; };
};

/// A thread of its own, every `interval`, never at the start: RetentionGuard says what time it is,
/// and nothing goes while that is in doubt. A rule that fails or throws costs itself alone.
class RetentionSweeper {
 public:
  /// What the rules call and the others must outlive it.
  RetentionSweeper(std::vector<RetentionRule> rules, RetentionGuard& guard,
                   const customers::RecordTimes& times, Duration interval, SweepGate gate = {});
  RetentionSweeper(const RetentionSweeper&) = delete;
  RetentionSweeper& operator=(const RetentionSweeper&) = delete;
  ~RetentionSweeper();

  /// Once, on the caller's thread.
  void sweep();
  /// Looks that have ended since the start, also those at which nothing could go.
  std::uint64_t sweeps() const { return sweeps_; }

 private:
  void run();
  bool wait_for_next(std::uint64_t changes);
  void apply(const RetentionRule& rule, TimestampMs now_ms);

  std::vector<RetentionRule> rules_;
  RetentionGuard& guard_;
  const customers::RecordTimes& times_;
  Duration interval_;
  SweepGate gate_;
  std::atomic<std::uint64_t> sweeps_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::retention
