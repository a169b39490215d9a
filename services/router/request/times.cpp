#include "services/router/request/times.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"

namespace vigia::router::request {
namespace {

// In milliseconds just within 64 bits; Prometheus refuses what is beyond, too.
constexpr double kSecondsMax = 9.2e15;

std::optional<double> parse_seconds(std::string_view text) {
  double value = 0;
  // Go reads a leading plus, std::from_chars does not.
  if (text.size() > 1 && text.front() == '+' && text[1] != '-' && text[1] != '+') {
    text.remove_prefix(1);
  }
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || !(std::abs(value) <= kSecondsMax)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<TimestampMs> parse_time(std::string_view text) {
  if (const auto seconds = parse_seconds(text)) return std::llround(*seconds * 1'000);
  return parse_rfc3339(text);
}

std::optional<Duration> parse_length(std::string_view text) {
  constexpr double kLengthSecondsMax = 9.2e9;
  if (const auto seconds = parse_seconds(text)) {
    if (std::abs(*seconds) > kLengthSecondsMax) return std::nullopt;
    return Duration{std::llround(*seconds * 1e9)};
  }
  return parse_duration(text);
}

std::string format_seconds(TimestampMs time_ms) {
  // As unsigned: the negative of the lowest time is no int64.
  const std::uint64_t ms =
      time_ms < 0 ? -static_cast<std::uint64_t>(time_ms) : static_cast<std::uint64_t>(time_ms);
  return fmt::format("{}{}.{:03}", time_ms < 0 ? "-" : "", ms / 1'000, ms % 1'000);
}

std::string format_time(TimestampMs time_ms) {
  return format_rfc3339(time_ms).value_or(format_seconds(time_ms));
}

}  // namespace vigia::router::request
