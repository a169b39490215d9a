// Numbers, lengths of time and sizes as LogQL and log lines write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/duration.hpp"

namespace vigia::logql {

/// "12", "0.5", "1e3"; digits first. Nothing on anything else, or where it is not finite.
std::optional<double> parse_plain_number(std::string_view text);

/// "90s", "1h30m", "1.5h", "250us", "100ns", as Go writes them, and Prometheus' "1d", "1w", "2y".
/// No sign. Nothing on anything else, and on an overflow.
std::optional<Duration> parse_length(std::string_view text);
/// In the same form, exact: "1h30m", "1500us".
std::string format_length(Duration length);

/// "512B", "20kb", "1.5MiB": powers of a thousand, with an i of 1,024, in any case. Nothing on
/// anything else, and past 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// In bytes: "20000B".
std::string format_size(std::uint64_t bytes);

}  // namespace vigia::logql
