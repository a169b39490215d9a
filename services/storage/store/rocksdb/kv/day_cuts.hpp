// Up to when the days of an ordered store's families go, by the numbers of customers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "libs/model/sample.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// As ExpiryCuts (store/expiry_cuts.hpp), where keys say a number and no name. Thread contract: a
/// value.
struct DayCuts {
  /// Of one time for all.
  DayCuts(TimestampMs all_ms)  // NOLINT(google-explicit-constructor): what it is for most
      : before_ms(all_ms), earliest_ms(all_ms), latest_ms(all_ms) {}

  TimestampMs before_ms;  ///< of all whom `own` does not name
  TimestampMs earliest_ms;
  TimestampMs latest_ms;
  std::map<std::uint32_t, TimestampMs> own = {};
  /// Whether somebody has the number. Rows of one that nobody has wait for their owner to be found
  /// out (CustomerNumbers::keep_unowned), and he may be whoever keeps longest.
  std::function<bool(std::uint32_t number)> is_given = [](std::uint32_t) { return true; };

  TimestampMs of(std::uint32_t number) const {
    const auto found = own.find(number);
    if (found != own.end()) return found->second;
    return is_given(number) ? before_ms : earliest_ms;
  }
};

}  // namespace vigia::storage::store::rocksdb::kv
