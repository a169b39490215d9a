// Exponential histograms as Prometheus' native histograms (R-PM-8).
#pragma once

#include <cstdint>
#include <string>

#include "libs/model/sample.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::wire::prometheus {

/// Buckets of one side in what is written: those that hold something, and the one or two empty ones
/// between two of them where no more are. A store works on all of them for each sample, and
/// Prometheus 2.42 counts them as one. Wider gaps cost it as much as a bucket, however wide.
inline constexpr std::int64_t kNativeBucketsMax = 320;

/// kUntranslatable for a scale below -4, and for so many buckets that they cannot be merged to
/// kNativeBucketsMax above that. kInvalid for bucket numbers that leave 32 bits and for
/// what every Prometheus refuses for ever, with a 500 that senders repeat (histogram.Validate of
/// 2.42 and 3.x, whichever is stricter): the count must be zero_count and the buckets together, and
/// where there is no sum, or it is NaN, no less. `why` then says more.
RejectReason native_fault(const otlp::ExponentialPoint& point, std::string& why);

/// An encoded prometheus.Histogram: scales above 8, and those of more than kNativeBucketsMax
/// buckets, are merged down, exactly, by halving; indexes move by one, an unset zero threshold is
/// 1e-128. A stale point is the stale mark in sum with count 0; a point without a sum has NaN for
/// it (the specification's stale mark would hide the point). REQUIRES: native_fault(point) is
/// kNone, or the point is stale.
std::string native_histogram(const otlp::ExponentialPoint& point, TimestampMs timestamp_ms);

}  // namespace vigia::wire::prometheus
