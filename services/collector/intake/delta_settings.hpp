// What a collector keeps to add deltas up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "libs/base/clock.hpp"

namespace vigia::collector::intake {

/// The cursor of the disk log that keeps what lies behind the last checkpoint.
inline constexpr std::string_view kDeltasCursor = "deltas";

struct DeltaSettings {
  std::string directory;                      ///< of the disk log: the checkpoint lies there
  std::size_t streams_per_customer = 20'000;  ///< more are refused, those that are there go on
  std::size_t bytes_max = std::size_t{256} << 20U;  ///< of all streams; one customer has a share
  std::size_t waiting_bytes_max = std::size_t{64} << 20U;  ///< of requests behind others
  Duration idle_max = std::chrono::hours(1);  ///< a stream that is silent so long begins anew
  /// Others may have had a part of a stream: see AccumulatorSettings::restarts_at_gaps.
  bool restarts_at_gaps = false;
};

}  // namespace vigia::collector::intake
