#include "services/router/upstream/penalties.hpp"

#include <algorithm>

namespace vigia::router::upstream {

Duration Penalties::pause(const Customer& customer) {
  Duration pause = kPauseMin;
  for (int i = kFreeTimeouts; i < customer.timeouts && pause < kPauseMax; ++i) pause *= 2;
  return std::min<Duration>(pause, kPauseMax);
}

/// Those that time has not made up for.
int Penalties::timeouts(const Customer& customer, TimePoint now) {
  const auto forgiven = (now - customer.last) / kPauseMax;
  return forgiven >= 2 ? 0 : customer.timeouts - static_cast<int>(forgiven);
}

void Penalties::note_timeout(const std::string& customer) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  // At each one that is noted, so that the map holds only those that had one of late.
  std::erase_if(customers_, [now](const auto& each) { return timeouts(each.second, now) <= 0; });
  Customer& own = customers_.try_emplace(customer, Customer{0, now}).first->second;
  own.timeouts = std::min(timeouts(own, now) + 1, kTimeoutsMax);
  own.last = now;
}

bool Penalties::is_penalised(const std::string& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  return found != customers_.end() && timeouts(found->second, clock_.steady()) >= kFreeTimeouts;
}

std::optional<Duration> Penalties::pause_of(const std::string& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  if (found == customers_.end() || found->second.timeouts < kFreeTimeouts) return std::nullopt;
  // By the count as it was noted, not by what time has made up for: else the pause itself would
  // shorten the pause.
  const Duration waited = clock_.steady() - found->second.last;
  const Duration needed = pause(found->second);
  if (waited >= needed) return std::nullopt;
  return needed - waited;
}

}  // namespace vigia::router::upstream
