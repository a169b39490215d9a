#include "services/storage/lanes/customer_shares.hpp"

#include <fmt/format.h>

#include "libs/base/check.hpp"

namespace vigia::storage::lanes {
namespace {

constexpr std::size_t kLittle = 100;  // of the whole
constexpr std::size_t kWhileShort = 4;
constexpr std::size_t kHardlyAny = 16;  // of what all may hold while memory is short

tl::unexpected<Error> refusal(std::string text) {
  Error error{ErrorCode::kUnavailable, std::move(text)};
  error.retry_after = std::chrono::seconds(1);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

Result<void> CustomerShares::check_locked(std::size_t own, std::size_t amount) const {
  const std::size_t amount_max = is_short_ ? amount_max_ / kWhileShort : amount_max_;
  // Who holds nothing is let in with a body of any size, or one larger than a quarter never would
  // be.
  if (own == 0 && taken_ <= amount_max / 2) return {};
  const std::size_t total = taken_ + amount;
  // One body may be more than all that is left while memory is short: that stops nobody else.
  if (is_short_ && own + amount <= amount_max / kHardlyAny && total <= amount_max_) return {};
  if (total > amount_max / 2 && own + amount > amount_max / 4) {
    return refusal(
        fmt::format("storage: {} take more than one customer's share, try again later", name_));
  }
  if (total > amount_max) return refusal(fmt::format("storage: too many {}, try again", name_));
  return {};
}

Result<void> CustomerShares::check(std::string_view customer) const {
  const std::lock_guard lock(mutex_);
  const auto at = held_.find(customer);
  return check_locked(at == held_.end() ? 0 : at->second, amount_max_ / kLittle);
}

Result<void> CustomerShares::take(std::string_view customer, std::size_t amount) {
  if (amount == 0) return {};
  const std::lock_guard lock(mutex_);
  auto at = held_.find(customer);
  if (auto checked = check_locked(at == held_.end() ? 0 : at->second, amount); !checked) {
    return checked;
  }
  if (at == held_.end()) at = held_.emplace(std::string(customer), 0).first;
  at->second += amount;
  taken_ += amount;
  return {};
}

void CustomerShares::give_back(std::string_view customer, std::size_t amount) {
  if (amount == 0) return;
  const std::lock_guard lock(mutex_);
  const auto at = held_.find(customer);
  // A share given back twice would let one customer in without bound: a fault of the program.
  CHECK(at != held_.end() && at->second >= amount);
  at->second -= amount;
  taken_ -= amount;
  if (at->second == 0) held_.erase(at);
}

std::size_t CustomerShares::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

Result<void> HeldShare::grow_to(std::size_t amount) {
  if (amount <= amount_) return {};
  if (auto taken = shares_.take(customer_, amount - amount_); !taken) return taken;
  amount_ = amount;
  return {};
}

void HeldShare::shrink_to(std::size_t amount) {
  if (amount >= amount_) return;
  shares_.give_back(customer_, amount_ - amount);
  amount_ = amount;
}

}  // namespace vigia::storage::lanes
