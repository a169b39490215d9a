#include "services/collector/side/trace_shares.hpp"

#include <iterator>
#include <mutex>

namespace vigia::collector::side {

void TraceShares::publish(std::set<std::string> over) {
  if (over.empty() && !is_any_over_) return;
  const std::unique_lock lock(mutex_);
  over_ = {std::make_move_iterator(over.begin()), std::make_move_iterator(over.end())};
  is_any_over_ = !over_.empty();
}

bool TraceShares::is_over(std::string_view customer) const {
  if (!is_any_over_) return false;
  const std::shared_lock lock(mutex_);
  return over_.contains(customer);
}

}  // namespace vigia::collector::side
