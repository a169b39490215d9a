// Series as chance makes them: gauges, counters, gaps, stale marks, NaNs, samples on edges.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/model/sample.hpp"

namespace vigia::rollup {

/// Up to some hundred samples in order of time, one a time: at least one. The same for one seed.
std::vector<Sample> random_samples(std::uint64_t seed);

}  // namespace vigia::rollup
