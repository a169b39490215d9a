// Exponential histograms as histograms of explicit bounds, for stores that have no native ones.
#pragma once

#include "libs/wire/otlp/points.hpp"

namespace vigia::wire::prometheus {

/// Bounds of one histogram: each is a series.
inline constexpr std::int64_t kClassicBoundsMax = 100;

/// Counts between the bounds of its buckets, from the lowest that holds something to the highest,
/// and the zero bucket's (`le` is its threshold). Buckets are merged, two to one, until no more
/// than kClassicBoundsMax are left, so that a coarser histogram has some of a finer one's bounds
/// and no others. Bounds that are no finite number are left out, and their counts are the next
/// one's. `classic` is room that is used again. REQUIRES: native_fault(point) is kNone, or it is
/// stale: then there are no bounds.
void to_classic(const otlp::ExponentialPoint& point, otlp::HistogramPoint& classic);

}  // namespace vigia::wire::prometheus
