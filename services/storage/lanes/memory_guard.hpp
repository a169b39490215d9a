// Watches what the process holds, so that shares are cut before the system ends it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace vigia::storage::lanes {

/// Resident memory of this process; 0 where the system does not say.
std::uint64_t resident_bytes();

/// A thread of its own, which looks four times a second. Near the limit it gives freed pages back
/// to the system; above it, memory is short until a tenth is free again.
class MemoryGuard {
 public:
  /// Called with true when memory becomes short, with false when it no longer is.
  using Tell = std::function<void(bool is_short)>;
  MemoryGuard(std::uint64_t bytes_max, Tell tell);
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;
  ~MemoryGuard();

 private:
  void run();
  void look(bool& is_short, int& looks_since_return) const;

  const std::uint64_t bytes_max_;
  const Tell tell_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::lanes
