#include "libs/logql/pipeline/label_values.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "libs/logql/quantities.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::size_t kQuantityBytesMax = 64;

/// The sign at the front, taken from `text`.
double take_sign(std::string_view& text) {
  if (text.empty() || (text.front() != '-' && text.front() != '+')) return 1;
  const double sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  return sign;
}

}  // namespace

std::optional<double> number_of(std::string_view value) {
  const double sign = take_sign(value);
  if (promql::equal_ignoring_case(value, "inf") || promql::equal_ignoring_case(value, "infinity")) {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (promql::equal_ignoring_case(value, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (value.empty() || !(promql::is_digit(value.front()) || value.front() == '.')) {
    return std::nullopt;
  }
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, failure] = std::from_chars(value.data(), end, number);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return sign * number;
}

std::optional<double> seconds_of(std::string_view value) {
  const double sign = take_sign(value);
  if (value.size() > kQuantityBytesMax) return std::nullopt;
  const auto length = parse_length(value);
  if (!length) return std::nullopt;
  return sign * static_cast<double>(length->count()) / 1e9;
}

std::optional<double> bytes_of(std::string_view value) {
  if (value.size() > kQuantityBytesMax) return std::nullopt;
  std::string plain;
  for (const char c : value) {
    if (c != ',' && c != ' ') plain += c;
  }
  if (plain.empty()) return std::nullopt;
  // "20", "20k" and "20Ki" are sizes, too, for people.
  const char last = plain.back();
  if (last != 'b' && last != 'B') plain += 'b';
  const auto size = parse_size(plain);
  if (!size) return std::nullopt;
  return static_cast<double>(*size);
}

}  // namespace vigia::logql::pipeline
