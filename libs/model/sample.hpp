// One value of a series at one time.
#pragma once

#include <cstdint>

namespace vigia {

/// Milliseconds since 1970-01-01 UTC: the resolution of everything that speaks Prometheus.
using TimestampMs = std::int64_t;

struct Sample {
  TimestampMs timestamp_ms = 0;
  double value = 0;
};

/// Bit pattern of the stale mark, a NaN of its own (remote write specification, "Stale Markers").
inline constexpr std::uint64_t kStaleBits = 0x7ff0000000000002ULL;
/// Bit pattern in which every ordinary NaN is stored.
inline constexpr std::uint64_t kNormalNanBits = 0x7ff8000000000001ULL;

/// A NaN that says: the series has ended here.
double stale_mark();
/// True for the stale mark, false for every other value, other NaNs included.
bool is_stale_mark(double value);
/// The value, with every NaN but the stale mark turned into the one ordinary NaN.
double normalized(double value);
/// True where both are bit for bit the same value: NaNs compare equal to themselves, +0 and -0 do
/// not.
bool is_same_value(double left, double right);

}  // namespace vigia
