// Up to when what is stored goes, by customer.
#pragma once

#include <algorithm>
#include <map>

#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::store {

/// Times in ms since 1970, before which what there is goes; 0 or less: nothing does. Thread
/// contract: a value.
struct ExpiryCuts {
  /// Of one time for all.
  ExpiryCuts(TimestampMs all_ms)  // NOLINT(google-explicit-constructor): what it is for most
      : before_ms(all_ms) {}

  TimestampMs before_ms;                  ///< of all whom `own` does not name
  std::map<CustomerId, TimestampMs> own;  ///< of those who have another one

  TimestampMs of(const CustomerId& customer) const {
    const auto found = own.find(customer);
    return found == own.end() ? before_ms : found->second;
  }
  /// What is older is nobody's to keep; also that of which nobody knows whose it is.
  TimestampMs earliest_ms() const {
    TimestampMs earliest = before_ms;
    for (const auto& [customer, cut_ms] : own) earliest = std::min(earliest, cut_ms);
    return earliest;
  }
  /// What is younger all keep.
  TimestampMs latest_ms() const {
    TimestampMs latest = before_ms;
    for (const auto& [customer, cut_ms] : own) latest = std::max(latest, cut_ms);
    return latest;
  }
  /// Of each customer the earlier of the two: what goes by both.
  ExpiryCuts earlier_of(const ExpiryCuts& other) const {
    ExpiryCuts both(std::min(before_ms, other.before_ms));
    for (const auto& [customer, cut_ms] : own) {
      both.own.emplace(customer, std::min(cut_ms, other.of(customer)));
    }
    for (const auto& [customer, cut_ms] : other.own) {
      both.own.emplace(customer, std::min(cut_ms, of(customer)));
    }
    return both;
  }
  ExpiryCuts earlier_by(TimestampMs more_ms) const {
    const auto earlier = [&](TimestampMs cut_ms) {
      return std::max<TimestampMs>(cut_ms - more_ms, 0);
    };
    ExpiryCuts cuts(earlier(before_ms));
    for (const auto& [customer, cut_ms] : own) cuts.own.emplace(customer, earlier(cut_ms));
    return cuts;
  }
};

}  // namespace vigia::storage::store
