#include "services/router/access/interest.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vigia::router::access {
namespace {

constexpr std::size_t kLookedThroughMin = 16;

}  // namespace

bool Interest::is_lost() const {
  const std::lock_guard lock(mutex_);
  return is_lost_;
}

void Interest::lose() {
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(mutex_);
    is_lost_ = true;
    listeners.swap(listeners_);
  }
  // Without the lock: who is told may ask here.
  for (const Listener& each : listeners) {
    if (const auto work = each.work.lock()) each.told();
  }
}

void Interest::on_lost(std::weak_ptr<const void> work, std::function<void()> told) {
  std::vector<Listener> gone;  // let go without the lock
  {
    const std::lock_guard lock(mutex_);
    if (!is_lost_) {
      if (listeners_.size() >= looked_through_at_) gone = take_gone_locked();
      listeners_.push_back({std::move(work), std::move(told)});
      return;
    }
  }
  if (const auto still = work.lock()) told();
}

/// Once for as many as are left: what each listener costs is bounded, too.
std::vector<Interest::Listener> Interest::take_gone_locked() {
  const auto first_gone = std::partition(listeners_.begin(), listeners_.end(),
                                         [](const Listener& each) { return !each.work.expired(); });
  std::vector<Listener> gone(std::make_move_iterator(first_gone),
                             std::make_move_iterator(listeners_.end()));
  listeners_.erase(first_gone, listeners_.end());
  looked_through_at_ = std::max(kLookedThroughMin, 2 * listeners_.size());
  return gone;
}

std::size_t Interest::listeners() const {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

}  // namespace vigia::router::access
