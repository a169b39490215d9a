#include "services/collector/side/side_shares.hpp"

#include <mutex>
#include <utility>

namespace vigia::collector::side {

void SideShares::publish(const std::string& exporter, std::map<CustomerId, SideHold> held) {
  const std::unique_lock lock(mutex_);
  if (held.empty())
    held_.erase(exporter);
  else
    held_[exporter] = std::move(held);
  is_any_held_ = !held_.empty();
}

std::optional<SideHold> SideShares::find(std::string_view exporter,
                                         const CustomerId& customer) const {
  // Asked with each request: where nobody is at its share, which is nearly always, without a lock.
  if (!is_any_held_) return std::nullopt;
  const std::shared_lock lock(mutex_);
  const auto known = held_.find(exporter);
  if (known == held_.end()) return std::nullopt;
  const auto hold = known->second.find(customer);
  if (hold == known->second.end()) return std::nullopt;
  return hold->second;
}

}  // namespace vigia::collector::side
