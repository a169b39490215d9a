// The least and the greatest of values, as PromQL finds them.
#pragma once

#include <cmath>

namespace vigia::rollup {

/// The bound is taken over from whatever is a number; PromQL's own order of comparing.
inline void take_min(double& bound, double value) {
  if (value < bound || std::isnan(bound)) bound = value;
}

inline void take_max(double& bound, double value) {
  if (value > bound || std::isnan(bound)) bound = value;
}

}  // namespace vigia::rollup
