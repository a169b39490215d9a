// Lengths of time as Jaeger's clients write them, which are Go's.
#pragma once

#include <optional>
#include <string_view>

#include "libs/base/duration.hpp"

namespace vigia::router::api::jaeger {

/// "1.2s", "100ms", "500us", "1h15m30.918s", "-1.5h", "0": numbers, each with ns, us (or µs), ms,
/// s, m or h, in any order, and one sign in front of all. Nothing on anything else, and beyond 292
/// years. What is less than a nanosecond is cut off.
std::optional<Duration> parse_go_duration(std::string_view text);

}  // namespace vigia::router::api::jaeger
