#include "services/router/access/in_flight.hpp"

#include <utility>

namespace vigia::router {

std::optional<InFlight::Place> InFlight::enter(const std::optional<CustomerId>& customer) {
  std::string key = customer ? customer->text() : std::string();
  {
    const std::lock_guard lock(counts_->mutex);
    std::size_t& count = counts_->by_customer[key].requests;
    if (count >= most_) return std::nullopt;
    ++count;
  }
  return Place(counts_, std::move(key));
}

bool InFlight::Place::take_bytes(std::size_t bytes) {
  const std::lock_guard lock(counts_->mutex);
  std::size_t& held = counts_->by_customer.find(customer_)->second.bytes;
  if (held > 0 && held + bytes > counts_->bytes_most) return false;
  held += bytes;
  bytes_ += bytes;
  return true;
}

InFlight::Place::~Place() {
  if (!counts_) return;
  const std::lock_guard lock(counts_->mutex);
  const auto found = counts_->by_customer.find(customer_);
  found->second.bytes -= bytes_;
  if (--found->second.requests == 0) counts_->by_customer.erase(found);
}

}  // namespace vigia::router
