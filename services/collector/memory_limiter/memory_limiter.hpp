// Whether the process holds more memory than it may.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "libs/base/clock.hpp"
#include "libs/net/budget.hpp"

namespace vigia::collector::memory_limiter {

/// What the limiter looks at and acts on; where empty, this process'.
struct ProcessMemory {
  std::function<std::uint64_t()> resident_bytes{};
  std::function<void()> give_back{};  ///< freed memory, to the system
};

/// Looks at the resident set five times a second on a thread of its own. Where the limit is passed,
/// what can be had again is let go first. Once a minute, at each
/// look where the limit is passed, and from three quarters of it on whenever it has grown by a
/// thirty-second part, it gives freed memory back to the system. While it is still over then,
/// whoever holds more than the mean of what is being received is refused (the budgets are pressed);
/// where it is over by an eighth, memory is short and whoever holds more than a little is (they are
/// shut). Thread contract: any thread.
class MemoryLimiter {
 public:
  /// `limit_bytes` 0: never over.
  MemoryLimiter(std::uint64_t limit_bytes, net::ServerBudgets& budgets, ProcessMemory memory = {});
  ~MemoryLimiter();
  MemoryLimiter(const MemoryLimiter&) = delete;
  MemoryLimiter& operator=(const MemoryLimiter&) = delete;

  /// Called at each look that finds the limit passed, before freed memory is given back and anybody
  /// is refused: to let go of what can be had again. Not called any more once this has returned.
  void let_go_by(std::function<void()> let_go);

  bool is_over() const { return is_over_.load(std::memory_order_relaxed); }
  bool is_short() const { return is_short_.load(std::memory_order_relaxed); }
  std::uint64_t resident_bytes() const { return resident_bytes_.load(std::memory_order_relaxed); }

 private:
  void run();
  void look();  // REQUIRES: mutex_ is held
  bool should_return(std::uint64_t bytes, TimePoint now) const;
  std::uint64_t resident_after_return(std::uint64_t bytes);
  void tell(std::uint64_t bytes, bool was_over, bool was_short) const;

  const std::uint64_t limit_bytes_;
  net::ServerBudgets& budgets_;
  ProcessMemory memory_;
  TimePoint returned_;
  std::uint64_t left_bytes_ = 0;  // were resident when freed memory was last given back
  std::atomic<bool> is_over_{false};
  std::atomic<bool> is_short_{false};
  std::atomic<std::uint64_t> resident_bytes_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::function<void()> let_go_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace vigia::collector::memory_limiter
