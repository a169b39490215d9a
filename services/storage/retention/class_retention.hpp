// What a ClassKeeper says, as a store asks for it.
#pragma once

#include <vector>

#include "services/storage/retention/class_keeper.hpp"
#include "services/storage/store/customer_retention.hpp"

namespace vigia::storage::retention {

/// Roll-ups that are made no more go so late, whatever is set of them.
inline constexpr Duration kUnmadeKept = std::chrono::hours(24 * 30);

/// Thread contract: any thread.
class ClassRetention final : public store::CustomerRetention {
 public:
  /// The keeper must outlive it. `all`: of those who have no class, and which roll-ups are made.
  ClassRetention(const ClassKeeper& keeper, const RetentionSettings& all)
      : keeper_(keeper), settings_(all), all_(keeps_of(all)) {}

  Duration keep_of(const CustomerId& customer, Resolution resolution) const override;
  Duration keep_of(const CustomerId& customer, Signal signal) const override;
  /// Of roll-ups that are not made: kUnmadeKept.
  Duration keep_of_others(Resolution resolution) const override;
  Duration keep_of_others(Signal signal) const override;
  Duration index_keep_of(const CustomerId& customer) const override;
  Duration index_keep_of_others() const override { return longest_made(all_); }
  std::vector<CustomerId> own() const override;

 private:
  bool is_made(Resolution resolution) const;
  Duration longest_made(const Keeps& keeps) const;

  const ClassKeeper& keeper_;
  const RetentionSettings settings_;
  const Keeps all_;
};

}  // namespace vigia::storage::retention
