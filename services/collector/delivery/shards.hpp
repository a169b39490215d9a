// One customer's parcel as several that are sent side by side.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

struct ShardSettings {
  std::size_t shards_max = 1;
  /// What goes in one request anyway: of less there is nothing to send side by side.
  std::size_t bytes_min = 1U << 20U;
};

/// Cuts each parcel of values that is worth several requests into as many parcels, by the hash of
/// what `kind_of` says of a unit: a series is in one of them, its values in their order. First
/// shards stay at their places and the others follow behind all of them, so that a delivery that
/// takes parcels from the front gives no customer a second request before each has one.
void cut_in_shards(std::vector<Parcel>& parcels, const ShardSettings& settings,
                   const std::function<std::string_view(std::string_view unit)>& kind_of);

}  // namespace vigia::collector::delivery
