#include "services/router/access/byte_shares.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace vigia::router::access {

struct ByteShares::HeldBytes::State {
  ByteShareSettings settings;
  std::mutex mutex;
  std::size_t total_max = 0;                       // of settings, or what is there of it
  std::map<std::string, std::size_t> by_customer;  // those that hold something
  std::size_t total = 0;
};

ByteShares::HeldBytes::HeldBytes(std::shared_ptr<State> state, std::string customer)
    : state_(std::move(state)), customer_(std::move(customer)) {}

ByteShares::HeldBytes::~HeldBytes() {
  if (!state_ || bytes_ == 0) return;
  const std::lock_guard lock(state_->mutex);
  state_->total -= bytes_;
  const auto found = state_->by_customer.find(customer_);
  found->second -= bytes_;
  if (found->second == 0) state_->by_customer.erase(found);
}

bool ByteShares::HeldBytes::grow(std::size_t bytes) {
  if (bytes == 0) return true;
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->by_customer.find(customer_);
  const std::size_t held = found == state_->by_customer.end() ? 0 : found->second;
  const std::size_t customers = state_->by_customer.size() + (held == 0 ? 1 : 0);
  // One part more than there are customers: there is always a part left for whoever comes next.
  const std::size_t share =
      std::min(state_->settings.customer_max, state_->total_max / (customers + 1));
  // Who holds nothing may take more than a share: one answer may be larger, and would never come.
  if (held > 0 && held + bytes > share) return false;
  if (state_->total + bytes > state_->total_max) return false;
  state_->by_customer[customer_] += bytes;
  state_->total += bytes;
  bytes_ += bytes;
  return true;
}

ByteShares::ByteShares(ByteShareSettings settings) : state_(std::make_shared<HeldBytes::State>()) {
  state_->settings = settings;
  state_->total_max = settings.total_max;
}

void ByteShares::bound(std::size_t total) const {
  const std::lock_guard lock(state_->mutex);
  state_->total_max = std::min(total, state_->settings.total_max);
}

ByteShares::HeldBytes ByteShares::hold(std::string customer) const {
  return {state_, std::move(customer)};
}

std::size_t ByteShares::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->total;
}

}  // namespace vigia::router::access
