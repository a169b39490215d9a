// What tells the series of this node's applications apart while their reports pass.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigia::agent::telemetry {

/// 128-bit hash of what makes a series: resource, scope, metric and attributes.
struct SeriesKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const SeriesKey&) const = default;
};
struct SeriesKeyHash {
  std::size_t operator()(const SeriesKey& key) const { return key.low; }
};

}  // namespace vigia::agent::telemetry
