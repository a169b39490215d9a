#include "services/router/access/interest.hpp"

#include <utility>

namespace vigia::router::access {

bool Interest::is_lost() const {
  const std::lock_guard lock(mutex_);
  return is_lost_;
}

void Interest::lose() {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock(mutex_);
    is_lost_ = true;
    told.swap(told_);
  }
  // Without the lock: who is told may ask here.
  for (const auto& each : told) each();
}

void Interest::on_lost(std::function<void()> told) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_lost_) {
      told_.push_back(std::move(told));
      return;
    }
  }
  told();
}

}  // namespace vigia::router::access
