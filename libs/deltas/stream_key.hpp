// What tells the streams of deltas apart.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace vigia::deltas {

/// 128-bit hash of what makes a stream: resource, scope, metric and attributes.
struct StreamKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  auto operator<=>(const StreamKey&) const = default;
};
struct StreamKeyHash {
  std::size_t operator()(const StreamKey& key) const { return key.low; }
};

}  // namespace vigia::deltas
