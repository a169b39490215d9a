#include "libs/base/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace vigia {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::int64_t kSecond = 1'000'000'000;
// From large to small; "ms" before "m" would be ambiguous by prefix, so names are compared whole.
constexpr std::array<DurationUnit, 7> kUnits{{{"y", 365 * 86'400 * kSecond},
                                              {"w", 7 * 86'400 * kSecond},
                                              {"d", 86'400 * kSecond},
                                              {"h", 3'600 * kSecond},
                                              {"m", 60 * kSecond},
                                              {"s", kSecond},
                                              {"ms", 1'000'000}}};

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failure != std::errc{} || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t length = std::min(text.find_first_of("0123456789"), text.size());
    const std::string_view name = text.substr(0, length);
    // Each unit once and from large to small, as Prometheus writes them: the search goes on where
    // the last one ended, so "1m1h" and "1m2m" find none.
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    const std::int64_t scale = kUnits[next_unit++].nanoseconds;
    // Asked before the sum is made, which must not overflow.
    if (count > (std::numeric_limits<std::int64_t>::max() - total) / scale) return std::nullopt;
    total += count * scale;
    text.remove_prefix(length);
  }
  return Duration{total};
}

std::string format_duration(Duration duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text = rest < 0 ? "-" : "";
  rest = rest < 0 ? -rest : rest;
  for (const DurationUnit& unit : kUnits) {
    if (unit.name == "w" || unit.name == "y")
      continue;  // days say it as well and need no knowledge of leap years
    if (rest >= unit.nanoseconds) {
      text += std::to_string(rest / unit.nanoseconds);
      text += unit.name;
      rest %= unit.nanoseconds;
    }
  }
  return text.empty() || text == "-" ? "0s" : text;
}

}  // namespace vigia
