#include "services/monitor/access/change_rate.hpp"

#include <algorithm>

namespace vigia::monitor::access {

std::optional<Duration> ChangeRate::take(const std::string& customer) {
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  std::erase_if(full_at_, [&](const auto& one) { return one.second <= now; });
  const auto found = full_at_.find(customer);
  const auto full_at = (found == full_at_.end() ? now : found->second) + limits_.each;
  const auto latest = now + limits_.each * static_cast<std::int64_t>(limits_.burst);
  if (full_at > latest) return full_at - latest;
  full_at_[customer] = full_at;
  return std::nullopt;
}

}  // namespace vigia::monitor::access
