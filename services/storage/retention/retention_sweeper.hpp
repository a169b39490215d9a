// Forgets what is older than its retention, whole days at a time.
#pragma once

#include <condition_variable>
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

namespace vigia::storage::retention {

/// One kind of data. `keep` 0: for ever.
struct RetentionRule {
  std::string name;  ///< in logs: "raw"
  Duration keep{0};
  /// Forgets what is older; returns how many days that were.
  std::function<Result<std::size_t>(TimestampMs before_ms)> expire;
};

/// A thread of its own, every `interval`, never at the start: RetentionGuard says what time it is,
/// and nothing goes while that is in doubt. A rule that fails or throws costs itself alone.
class RetentionSweeper {
 public:
  /// What the rules call and the others must outlive it.
  RetentionSweeper(std::vector<RetentionRule> rules, RetentionGuard& guard,
                   const customers::RecordTimes& times, Duration interval);
  RetentionSweeper(const RetentionSweeper&) = delete;
  RetentionSweeper& operator=(const RetentionSweeper&) = delete;
  ~RetentionSweeper();

  /// Once, on the caller's thread.
  void sweep();

 private:
  void run();
  static void apply(const RetentionRule& rule, TimestampMs now_ms);

  std::vector<RetentionRule> rules_;
  RetentionGuard& guard_;
  const customers::RecordTimes& times_;
  Duration interval_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::retention
