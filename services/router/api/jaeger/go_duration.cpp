#include "services/router/api/jaeger/go_duration.hpp"

#include <charconv>
#include <cstdint>
#include <limits>

namespace vigia::router::api::jaeger {
namespace {

struct GoUnit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr GoUnit kUnits[] = {{"ns", 1},
                             {"us", 1'000},
                             {"\xc2\xb5s", 1'000},  // the micro sign
                             {"\xce\xbcs", 1'000},  // the Greek letter
                             {"ms", 1'000'000},
                             {"s", 1'000'000'000},
                             {"m", 60'000'000'000},
                             {"h", 3'600'000'000'000}};
constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kDigits = "0123456789";

struct Number {
  std::uint64_t whole = 0;
  double fraction = 0;
};

/// "1", "1.5", "1." or ".5"; what it was is taken from the text.
std::optional<Number> take_number(std::string_view& text) {
  Number number;
  const std::size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
  if (digits > 0) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, number.whole);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(digits);
  }
  if (!text.starts_with('.')) return digits > 0 ? std::optional(number) : std::nullopt;
  const std::size_t end = std::min(text.find_first_not_of(kDigits, 1), text.size());
  if (digits == 0 && end == 1) return std::nullopt;
  if (end > 1) std::from_chars(text.data(), text.data() + end, number.fraction);
  text.remove_prefix(end);
  return number;
}

std::optional<std::uint64_t> take_unit(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("0123456789."), text.size());
  const std::string_view name = text.substr(0, end);
  for (const GoUnit& unit : kUnits) {
    if (unit.name != name) continue;
    text.remove_prefix(end);
    return unit.nanoseconds;
  }
  return std::nullopt;
}

/// A number with its unit, in nanoseconds.
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  const auto unit = take_unit(text);
  if (!unit || number->whole > kMost / *unit) return std::nullopt;
  const auto behind = static_cast<std::uint64_t>(number->fraction * static_cast<double>(*unit));
  const std::uint64_t whole = number->whole * *unit;
  return behind > kMost - whole ? std::nullopt : std::optional(whole + behind);
}

}  // namespace

std::optional<Duration> parse_go_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration::zero();
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || *part > kMost - sum) return std::nullopt;
    sum += *part;
  }
  const auto length = static_cast<std::int64_t>(sum);
  return Duration(is_negative ? -length : length);
}

}  // namespace vigia::router::api::jaeger
