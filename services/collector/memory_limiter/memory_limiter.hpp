// Whether the process holds more memory than it may.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace vigia::collector {

/// Looks at the resident set five times a second on a thread of its own. Once a minute, and where
/// the limit is passed, it gives freed memory back to the system; what is then still over is short.
/// Thread contract: any thread.
class MemoryLimiter {
 public:
  /// `limit_bytes` 0: never short.
  explicit MemoryLimiter(std::uint64_t limit_bytes);
  ~MemoryLimiter();
  MemoryLimiter(const MemoryLimiter&) = delete;
  MemoryLimiter& operator=(const MemoryLimiter&) = delete;

  bool is_short() const { return is_short_.load(std::memory_order_relaxed); }
  std::uint64_t resident_bytes() const { return resident_bytes_.load(std::memory_order_relaxed); }

 private:
  void run();
  void look();

  std::uint64_t limit_bytes_;
  std::atomic<bool> is_short_{false};
  std::atomic<std::uint64_t> resident_bytes_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::collector
