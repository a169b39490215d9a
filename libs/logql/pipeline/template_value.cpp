#include "libs/logql/pipeline/template_value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>

#include <fmt/format.h>

#include "libs/logql/pipeline/label_values.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string text_of(LineTime time) {
  std::int64_t seconds = time.ns / kSecond;
  std::int64_t rest = time.ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  const auto when = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&when, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (rest != 0) {
    text += fmt::format(".{:09}", rest);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " +0000 UTC";
}

}  // namespace

std::string text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double size = std::abs(value);
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e21);
  std::array<char, 64> text{};
  const auto made =
      std::to_chars(text.data(), text.data() + text.size(), value,
                    is_plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {text.data(), made.ptr};
}

std::string text_of(const TemplateValue& value) {
  struct Text {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return pipeline::text_of(number); }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
    std::string operator()(LineTime time) const { return text_of(time); }
  };
  return std::visit(Text{}, value);
}

bool is_true(const TemplateValue& value) {
  struct True {
    bool operator()(const std::string& text) const { return !text.empty(); }
    bool operator()(std::int64_t number) const { return number != 0; }
    bool operator()(double number) const { return number != 0; }
    bool operator()(bool truth) const { return truth; }
    bool operator()(LineTime /*time*/) const { return true; }
  };
  return std::visit(True{}, value);
}

double double_of(const TemplateValue& value) {
  struct Number {
    double operator()(const std::string& text) const { return number_of(text).value_or(0); }
    double operator()(std::int64_t number) const { return static_cast<double>(number); }
    double operator()(double number) const { return number; }
    double operator()(bool truth) const { return truth ? 1 : 0; }
    double operator()(LineTime time) const { return static_cast<double>(time.ns); }
  };
  return std::visit(Number{}, value);
}

std::int64_t integer_of(const TemplateValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::int64_t number = 0;
    const char* end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, number);
    if (failure == std::errc{} && stop == end) return number;
  }
  const double number = double_of(value);
  if (std::isnan(number)) return 0;
  if (number >= 9.2e18) return std::numeric_limits<std::int64_t>::max();
  if (number <= -9.2e18) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

}  // namespace vigia::logql::pipeline
