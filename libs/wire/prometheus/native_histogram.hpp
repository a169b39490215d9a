// Exponential histograms as Prometheus' native histograms (R-PM-8).
#pragma once

#include <string>

#include "libs/model/sample.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::wire::prometheus {

/// kUntranslatable for a scale below -4, kInvalid for bucket numbers that leave 32 bits.
RejectReason native_fault(const otlp::ExponentialPoint& point);

/// An encoded prometheus.Histogram: scales above 8 are merged down to schema 8, indexes move by
/// one, an unset zero threshold is 1e-128. A stale point is the stale mark in sum with count 0.
/// REQUIRES: native_fault(point) is kNone, or the point is stale.
std::string native_histogram(const otlp::ExponentialPoint& point, TimestampMs timestamp_ms);

}  // namespace vigia::wire::prometheus
