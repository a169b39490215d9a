// A bound that customers share, so that none takes all of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::storage::lanes {

/// Up to half of the bound whoever holds nothing gets what it asks for, however much; past half of
/// it one customer may hold a quarter, so that whoever holds most is refused first. Thread
/// contract: any thread.
class CustomerShares {
 public:
  /// `name` is of what is shared, for answers: "samples under way".
  CustomerShares(std::string name, std::size_t amount_max)
      : name_(std::move(name)), amount_max_(amount_max) {}

  /// The error is retryable. What was taken is given back with the same amount.
  Result<void> take(std::string_view customer, std::size_t amount);
  void give_back(std::string_view customer, std::size_t amount);
  /// Whether the customer could take a little (a hundredth) now.
  Result<void> check(std::string_view customer) const;
  std::size_t taken() const;
  /// What all customers may hold together.
  std::size_t amount_max() const { return amount_max_; }
  /// While memory is short the bound is a quarter of what it was: whoever holds most is refused.
  /// Who holds hardly any (a sixteenth of that) goes on up to the whole bound.
  void set_short(bool is_short) { is_short_ = is_short; }

 private:
  Result<void> check_locked(std::size_t own, std::size_t amount) const;

  const std::string name_;
  const std::size_t amount_max_;
  std::atomic<bool> is_short_{false};
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> held_;
  std::size_t taken_ = 0;
};

/// A share held for as long as this lives; it may grow. Thread contract: one thread at a time.
class HeldShare {
 public:
  HeldShare(CustomerShares& shares, std::string_view customer)
      : shares_(shares), customer_(customer) {}
  HeldShare(const HeldShare&) = delete;
  HeldShare& operator=(const HeldShare&) = delete;
  ~HeldShare() { shares_.give_back(customer_, amount_); }

  /// Holds `amount` from now on, where that is more than it holds.
  Result<void> grow_to(std::size_t amount);
  /// Gives back what it holds beyond `amount`.
  void shrink_to(std::size_t amount);

 private:
  CustomerShares& shares_;
  const std::string customer_;
  std::size_t amount_ = 0;
};

}  // namespace vigia::storage::lanes
