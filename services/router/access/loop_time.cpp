#include "services/router/access/loop_time.hpp"

#include <algorithm>
#include <ctime>

namespace vigia::router::access {

Duration LoopTime::Left::now(TimePoint time) const {
  const auto earned = std::chrono::duration_cast<Duration>((time - at) * kShare);
  return std::min(left + earned, kBurst);
}

bool LoopTime::has_left(const std::string& customer) {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  return found == customers_.end() || found->second.now(clock_.steady()) > Duration::zero();
}

void LoopTime::spend(const std::string& customer, Duration worked) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  if (customers_.size() >= look_through_at_) {
    std::erase_if(customers_, [now](const auto& each) { return each.second.now(now) >= kBurst; });
    look_through_at_ = std::max(kRememberedMin, 2 * customers_.size());
  }
  Left& own = customers_.try_emplace(customer, Left{kBurst, now}).first->second;
  own = {own.now(now) - worked, now};
}

Duration LoopTime::worked() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace vigia::router::access
