#include "libs/tenancy/rfc3339.hpp"

#include <chrono>

namespace vigia::tenancy {
namespace {

/// Takes `digits` digits from the front; nothing where other characters stand there.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_letter(std::string_view& text, char upper, char lower) {
  if (text.empty() || (text.front() != upper && text.front() != lower)) return false;
  text.remove_prefix(1);
  return true;
}

/// Of ".123456": 123. Digits behind the third are cut off.
std::optional<int> take_fraction_ms(std::string_view& text) {
  if (text.empty() || text.front() != '.') return 0;
  text.remove_prefix(1);
  int milliseconds = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (digits < 3) milliseconds = milliseconds * 10 + (text.front() - '0');
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 3; ++digits) milliseconds *= 10;
  return milliseconds;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take_letter(text, '-', '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_letter(text, '-', '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take_letter(text, 'T', 't')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take_letter(text, ':', ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take_letter(text, ':', ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  const auto milliseconds = take_fraction_ms(text);
  if (!milliseconds) return std::nullopt;
  if (text != "Z" && text != "z" && text != "+00:00") return std::nullopt;

  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year{*year},
                                    chrono::month{static_cast<unsigned>(*month)},
                                    chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto time = chrono::sys_days{date} + chrono::hours{*hour} + chrono::minutes{*minute} +
                    chrono::seconds{*second} + chrono::milliseconds{*milliseconds};
  return chrono::duration_cast<chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace vigia::tenancy
