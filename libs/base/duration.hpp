// Lengths of time and how people write them: "15s", "24h", "400d", "2y"; "1h30m" too.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vigia {

/// A length of time in nanoseconds, ±292 years.
using Duration = std::chrono::nanoseconds;

/// Reads "300ms", "15s", "2m", "1h30m", "400d", "1w", "2y" (365 days) or a bare "0". Nothing on
/// anything else, on an overflow, or on units that do not fall from large to small (Prometheus'
/// grammar).
std::optional<Duration> parse_duration(std::string_view text);

/// Shortest exact spelling in the same grammar, at most millisecond precision: 90 s is "1m30s".
std::string format_duration(Duration duration);

}  // namespace vigia
