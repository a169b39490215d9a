// One customer's parcel as several that are sent side by side.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "libs/base/duration.hpp"
#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

/// So long a parcel's requests may take one after the other. Side by side each has symbols of its
/// own for labels that all have, and is an answer more: a near destination gets the same sooner,
/// and cheaper, in fewer requests.
inline constexpr Duration kOneByOneMax = std::chrono::milliseconds(40);

/// How long a destination takes for one request, as its last answers were. Thread contract: one
/// thread.
class AnswerTime {
 public:
  void note(Duration took);
  /// kOneByOneMax before the first.
  Duration estimate() const { return estimate_; }

 private:
  Duration estimate_ = kOneByOneMax;
  bool is_known_ = false;
};

struct ShardSettings {
  std::size_t shards_max = 1;
  /// What goes in one request anyway: of less there is nothing to send side by side.
  std::size_t bytes_min = 1U << 20U;
  /// Of one request. What is sooner done one after the other is not cut.
  Duration answer_time = kOneByOneMax;
};

/// Cuts each parcel of values that is worth several requests into parcels, as many as it takes for
/// each of them to be sent within kOneByOneMax, by the hash of
/// what `kind_of` says of a unit: a series is in one of them, its values in their order. First
/// shards stay at their places and the others follow behind all of them, so that a delivery that
/// takes parcels from the front gives no customer a second request before each has one.
void cut_in_shards(std::vector<Parcel>& parcels, const ShardSettings& settings,
                   const std::function<std::string_view(std::string_view unit)>& kind_of);

}  // namespace vigia::collector::delivery
