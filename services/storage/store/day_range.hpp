// Days on which a series had samples.
#pragma once

#include <compare>
#include <cstdint>

namespace vigia::storage::store {

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

}  // namespace vigia::storage::store
