#include "services/router/access/in_flight.hpp"

#include <utility>

namespace vigia::router::access {

std::optional<InFlight::Place> InFlight::enter(const std::optional<CustomerId>& customer) {
  std::string key = customer ? customer->text() : std::string();
  {
    const std::lock_guard lock(counts_->mutex);
    std::size_t& count = counts_->by_customer[key];
    if (count >= most_) return std::nullopt;
    ++count;
  }
  // Behind the lock: the shares have one of their own, and neither is held while the other is
  // taken.
  auto answer = shares_.hold(key);
  return Place(counts_, std::move(key), std::move(answer));
}

InFlight::Place::~Place() {
  if (!counts_) return;
  const std::lock_guard lock(counts_->mutex);
  const auto found = counts_->by_customer.find(customer_);
  if (--found->second == 0) counts_->by_customer.erase(found);
}

}  // namespace vigia::router::access
