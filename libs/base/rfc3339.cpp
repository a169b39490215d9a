#include "libs/base/rfc3339.hpp"

#include <chrono>

#include <fmt/format.h>

namespace vigia {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::int64_t kMsPerMinute = 60 * kMsPerSecond;
constexpr std::int64_t kMsPerDay = 24 * 60 * kMsPerMinute;
constexpr std::int64_t kYear0 = -62'167'219'200'000;
constexpr std::int64_t kYear10000 = 253'402'300'800'000;

bool has_form(std::int64_t time_ms) { return time_ms >= kYear0 && time_ms < kYear10000; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// A number of exactly `digits` digits at the front of `text`, which is then shortened.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * kMsPerDay;
}

/// Milliseconds of ".781", or 0 where there is no fraction.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::int64_t milliseconds = 0;
  // Digits past the third are read and count for nothing: times are whole milliseconds here.
  for (std::int64_t unit = 100; !text.empty() && is_digit(text.front()); unit /= 10) {
    milliseconds += (text.front() - '0') * unit;
    text.remove_prefix(1);
  }
  return milliseconds;
}

std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  // A leap second (:60) is refused: system time has none, and no clock that writes these texts
  // does.
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return (*hour * 60 + *minute) * kMsPerMinute + *second * kMsPerSecond + *fraction;
}

/// How far the clock that wrote the text is ahead of UTC.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return 0;
  const bool is_west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const std::int64_t offset = (*hour * 60 + *minute) * kMsPerMinute;
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "Tt")) return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const std::int64_t utc = *date + *time - *offset;
  // Judged in UTC: an offset may carry a good date out of the years that the form can write.
  return has_form(utc) ? std::optional(utc) : std::nullopt;
}

std::optional<std::string> format_rfc3339(std::int64_t time_ms) {
  if (!has_form(time_ms)) return std::nullopt;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{time_ms}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto milliseconds = clock.subseconds().count(); milliseconds != 0)
    text += fmt::format(".{:03}", milliseconds);
  return text + "Z";
}

}  // namespace vigia
