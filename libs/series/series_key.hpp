// The name of a series, or of what becomes several, within a process.
#pragma once

#include <cstdint>

namespace vigia::series {

/// 128 bits, so that no two series of a process meet.
struct SeriesKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const SeriesKey&) const = default;
};

}  // namespace vigia::series
