// One Prometheus of a hot shard, and what it holds.
#pragma once

#include <cstddef>
#include <vector>

#include "services/router/coverage/covered.hpp"

namespace vigia::router::coverage {

struct HotMember {
  std::size_t number = 0;  ///< among all stores of hot
  Covered covered;         ///< by it, for the caller

  bool operator==(const HotMember&) const = default;
};

/// Those that reach back furthest first, to the minute; those of which nothing is known last. Who
/// reach as far stay in their order.
std::vector<HotMember> furthest_first(std::vector<HotMember> members);

}  // namespace vigia::router::coverage
