// What the functions over a range make of the values of one window.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/logql/ast.hpp"

namespace vigia::logql::metrics {

struct TimedValue {
  std::int64_t time_ns = 0;
  double value = 0;
};

/// Of functions over unwrapped values; `window` ascends by time and is not empty. `scratch` is for
/// quantiles. rate_counter is the increase, over resets, per second of the range.
double over_window(const RangeAggregation& made, std::span<const TimedValue> window,
                   std::vector<double>& scratch);

}  // namespace vigia::logql::metrics
