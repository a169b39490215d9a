#include "libs/logql/quantities.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "libs/promql/text.hpp"

namespace vigia::logql {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// Go's, each behind those that it begins.
constexpr std::array<Unit, 7> kTimeUnits{{{"ns", 1},
                                          {"us", 1e3},
                                          {"\xC2\xB5s", 1e3},
                                          {"ms", 1e6},
                                          {"s", 1e9},
                                          {"m", 6e10},
                                          {"h", 3.6e12}}};
constexpr std::array<Unit, 13> kSizeUnits{{{"b", 1},
                                           {"kb", 1e3},
                                           {"kib", 1024.0},
                                           {"mb", 1e6},
                                           {"mib", 1024.0 * 1024},
                                           {"gb", 1e9},
                                           {"gib", 1024.0 * 1024 * 1024},
                                           {"tb", 1e12},
                                           {"tib", 1024.0 * 1024 * 1024 * 1024},
                                           {"pb", 1e15},
                                           {"pib", 1024.0 * 1024 * 1024 * 1024 * 1024},
                                           {"eb", 1e18},
                                           {"eib", 1024.0 * 1024 * 1024 * 1024 * 1024 * 1024}}};
constexpr double kInt64Max = 9.2233720368547e18;

/// The digits and the point at the front of `text`, taken from it.
std::optional<double> take_decimal(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && (promql::is_digit(text[length]) || text[length] == '.')) ++length;
  double value = 0;
  const auto [stop, failure] =
      std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
  if (length == 0 || failure != std::errc{} || stop != text.data() + length) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

/// The longest unit at the front of `text`, taken from it.
std::optional<double> take_time_unit(std::string_view& text) {
  const Unit* found = nullptr;
  for (const Unit& unit : kTimeUnits) {
    const bool is_longer = found == nullptr || unit.name.size() > found->name.size();
    if (text.starts_with(unit.name) && is_longer) found = &unit;
  }
  if (found == nullptr) return std::nullopt;
  text.remove_prefix(found->name.size());
  return found->factor;
}

}  // namespace

std::optional<double> parse_plain_number(std::string_view text) {
  if (text.empty() || !(promql::is_digit(text.front()) || text.front() == '.')) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<Duration> parse_length(std::string_view text) {
  if (const auto plain = parse_duration(text)) return plain;
  double sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto value = take_decimal(text);
    const auto unit = value ? take_time_unit(text) : std::nullopt;
    if (!unit) return std::nullopt;
    sum += *value * *unit;
  }
  if (sum > kInt64Max) return std::nullopt;
  return Duration(std::llround(sum));
}

std::string format_length(Duration length) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  constexpr std::int64_t kMicrosecond = 1'000;
  if (length.count() % kMillisecond == 0) return format_duration(length);
  if (length.count() % kMicrosecond == 0) return fmt::format("{}us", length.count() / kMicrosecond);
  return fmt::format("{}ns", length.count());
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto value = take_decimal(text);
  if (!value) return std::nullopt;
  for (const Unit& unit : kSizeUnits) {
    if (!promql::equal_ignoring_case(text, unit.name)) continue;
    const double bytes = *value * unit.factor;
    if (bytes > kInt64Max) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
  }
  return std::nullopt;
}

std::string format_size(std::uint64_t bytes) { return fmt::format("{}B", bytes); }

}  // namespace vigia::logql
