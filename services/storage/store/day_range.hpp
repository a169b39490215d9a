// Days on which a series had samples, and in which what is stored expires.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>

#include "libs/model/sample.hpp"

namespace vigia::storage::store {

inline constexpr TimestampMs kDayMs = 24 * 3'600'000;

/// Since 1970; 0 for what is before.
constexpr std::uint32_t day_of(TimestampMs time_ms) {
  if (time_ms < 0) return 0;
  return static_cast<std::uint32_t>(std::min<TimestampMs>(time_ms / kDayMs, UINT32_MAX));
}

/// Days since 1970, both included.
struct DayRange {
  std::uint32_t first = 0;
  std::uint32_t last = UINT32_MAX;
  bool contains(const DayRange& other) const { return first <= other.first && other.last <= last; }
  bool overlaps(const DayRange& other) const { return first <= other.last && other.first <= last; }
  auto operator<=>(const DayRange&) const = default;
};
inline constexpr DayRange kAllDays;
inline constexpr DayRange kNoDays{1, 0};

/// From the earlier first day to the later last one.
constexpr DayRange joined(const DayRange& left, const DayRange& right) {
  if (left == kNoDays) return right;
  if (right == kNoDays) return left;
  return {std::min(left.first, right.first), std::max(left.last, right.last)};
}

}  // namespace vigia::storage::store
