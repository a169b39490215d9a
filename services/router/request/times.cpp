#include "services/router/request/times.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace vigia::router {
namespace {

constexpr double kSecondsMax = 9.2e15;

std::optional<double> parse_seconds(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || !(std::abs(value) <= kSecondsMax)) {
    return std::nullopt;
  }
  return value;
}

/// Takes `digits` digits and, where it is not '\0', the character after them.
std::optional<int> take_field(std::string_view& text, std::size_t digits, char after) {
  int value = 0;
  if (text.size() < digits || text.front() == '-' || text.front() == '+') return std::nullopt;
  const char* end = text.data() + digits;
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  text.remove_prefix(digits);
  if (after == '\0') return value;
  if (text.empty() || (text.front() | 0x20) != (after | 0x20)) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

/// Milliseconds of ".781", cut off behind them; 0 where there is no fraction.
std::optional<int> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  int value = 0;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 3) value = value * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 3; ++digits) value *= 10;
  return value;
}

/// Minutes east of UTC; must be the rest of the text.
std::optional<int> take_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_field(text, 2, ':');
  const auto minutes = hours ? take_field(text, 2, '\0') : std::nullopt;
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

std::optional<TimestampMs> parse_rfc3339(std::string_view text) {
  const auto year = take_field(text, 4, '-');
  const auto month = year ? take_field(text, 2, '-') : std::nullopt;
  const auto day = month ? take_field(text, 2, 'T') : std::nullopt;
  const auto hour = day ? take_field(text, 2, ':') : std::nullopt;
  const auto minute = hour ? take_field(text, 2, ':') : std::nullopt;
  const auto second = minute ? take_field(text, 2, '\0') : std::nullopt;
  const auto millisecond = second ? take_fraction(text) : std::nullopt;
  const auto zone = millisecond ? take_zone(text) : std::nullopt;
  if (!zone || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t minutes = std::int64_t{days} * 1'440 + *hour * 60 + *minute - *zone;
  return (minutes * 60 + *second) * 1'000 + *millisecond;
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
  const std::uint64_t ms =
      time_ms < 0 ? -static_cast<std::uint64_t>(time_ms) : static_cast<std::uint64_t>(time_ms);
  return fmt::format("{}{}.{:03}", time_ms < 0 ? "-" : "", ms / 1'000, ms % 1'000);
}

std::string format_time(TimestampMs time_ms) {
  constexpr TimestampMs kYear0 = -62'167'219'200'000;
  constexpr TimestampMs kYear10000 = 253'402'300'800'000;
  if (time_ms < kYear0 || time_ms >= kYear10000) return format_seconds(time_ms);
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{time_ms}};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const auto ms = clock.subseconds().count();
  if (ms != 0) text += fmt::format(".{:03}", ms);
  return text + "Z";
}

}  // namespace vigia::router
