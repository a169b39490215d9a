// Times and lengths as Prometheus' HTTP API takes and our headers show them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/duration.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router::request {

/// "1609746000.781" (seconds since 1970) or RFC 3339 with any offset. Nothing on anything else, on
/// NaN, and beyond ±292 million years.
std::optional<TimestampMs> parse_time(std::string_view text);
/// "15", "0.5" (seconds) or "1h30m". Nothing on anything else.
std::optional<Duration> parse_length(std::string_view text);
/// "1609746000.781": what goes upstream.
std::string format_seconds(TimestampMs time_ms);
/// "2026-11-25T03:00:00Z", with milliseconds where there are any; years beyond 0 to 9999 as
/// seconds.
std::string format_time(TimestampMs time_ms);

}  // namespace vigia::router::request
