// A mutex that is handed on in turns.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace vigia::series {

/// Lets one thread in at a time, and the one that waits longest before one that held it a moment
/// ago: an unlock with a lock right after it gives the others their turn, where std::mutex would
/// nearly always let the same thread in again. Thread contract: as std::mutex.
class TurnMutex {
 public:
  void lock();
  void unlock() { holder_.unlock(); }
  /// A thread waits in lock.
  bool is_awaited() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  std::mutex next_;  // held by the one that waits for holder_; the others wait here
  std::mutex holder_;
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace vigia::series
