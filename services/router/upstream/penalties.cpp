#include "services/router/upstream/penalties.hpp"

#include <algorithm>

namespace vigia::router {

Duration Penalties::pause(const Customer& customer) {
  Duration pause = kPauseMin;
  for (int i = kFreeTimeouts; i < customer.timeouts && pause < kPauseMax; ++i) pause *= 2;
  return std::min<Duration>(pause, kPauseMax);
}

void Penalties::note_timeout(const std::string& customer) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  std::erase_if(customers_,
                [now](const auto& each) { return now - each.second.last > 2 * kPauseMax; });
  Customer& own = customers_[customer];
  ++own.timeouts;
  own.last = now;
}

void Penalties::note_answer(const std::string& customer) {
  const std::lock_guard lock(mutex_);
  customers_.erase(customer);
}

bool Penalties::is_penalised(const std::string& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  return found != customers_.end() && found->second.timeouts >= kFreeTimeouts;
}

std::optional<Duration> Penalties::pause_of(const std::string& customer) const {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  if (found == customers_.end() || found->second.timeouts < kFreeTimeouts) return std::nullopt;
  const Duration waited = clock_.steady() - found->second.last;
  const Duration needed = pause(found->second);
  if (waited >= needed) return std::nullopt;
  return needed - waited;
}

}  // namespace vigia::router
