// What the functions of templates take and give.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace vigia::logql::pipeline {

/// What __timestamp__ gives.
struct LineTime {
  std::int64_t ns = 0;
  auto operator<=>(const LineTime&) const = default;
};

using TemplateValue = std::variant<std::string, std::int64_t, double, bool, LineTime>;

/// As Go prints it: 1e+21, +Inf, "2026-11-30 08:00:00.5 +0000 UTC".
std::string text_of(const TemplateValue& value);
std::string text_of(double value);
/// False for "", 0 and false.
bool is_true(const TemplateValue& value);
/// Towards zero; 0 of a text that is no number.
std::int64_t integer_of(const TemplateValue& value);
double double_of(const TemplateValue& value);

}  // namespace vigia::logql::pipeline
