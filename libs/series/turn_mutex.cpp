#include "libs/series/turn_mutex.hpp"

namespace vigia::series {

void TurnMutex::lock() {
  // Free: nothing to queue for. The try takes `next_` first, so that it overtakes nobody who waits.
  if (next_.try_lock()) {
    const bool is_free = holder_.try_lock();
    if (is_free) {
      next_.unlock();
      return;
    }
    next_.unlock();
  }
  waiting_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard turn(next_);
  holder_.lock();
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace vigia::series
