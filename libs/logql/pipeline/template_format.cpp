// printf of templates.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/characters.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/template_functions.hpp"
#include "libs/logql/pipeline/template_text.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

constexpr std::size_t kWidthMax = 1'024;
constexpr std::size_t kPrecisionMax = 64;

/// `%-08.3f`, or with `verb` 0 the text before it.
struct Directive {
  bool is_left = false;
  bool has_zeros = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char verb = 0;
};

std::size_t take_number(std::string_view& text) {
  std::size_t number = 0;
  while (!text.empty() && promql::is_digit(text.front())) {
    number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(text.front() - '0'),
                                   kWidthMax + 1);
    text.remove_prefix(1);
  }
  return number;
}

/// What follows a %, taken from `text`.
Directive take_directive(std::string_view& text) {
  Directive one;
  for (; text.starts_with('-') || text.starts_with('0'); text.remove_prefix(1)) {
    (text.front() == '-' ? one.is_left : one.has_zeros) = true;
  }
  one.width = take_number(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    one.precision = take_number(text);
  }
  if (text.empty()) return one;
  one.verb = text.front();
  text.remove_prefix(1);
  return one;
}

Result<std::string> shown(const Directive& one, const TemplateValue& value) {
  if (one.verb == 'f') {
    if (!std::holds_alternative<double>(value)) {
      return fail(ErrorCode::kInvalid, "printf: %f takes a float: write float64 before it");
    }
    return fmt::format("{:.{}f}", std::get<double>(value), one.precision.value_or(6));
  }
  if (one.verb == 'd' && !std::holds_alternative<std::int64_t>(value)) {
    return fail(ErrorCode::kInvalid, "printf: %d takes a whole number: write int before it");
  }
  if (one.verb == 't' && !std::holds_alternative<bool>(value)) {
    return fail(ErrorCode::kInvalid, "printf: %t takes true or false");
  }
  std::string text = text_of(value);
  if (one.precision && one.verb == 's') {
    text = cut(static_cast<std::int64_t>(*one.precision), text);
  }
  return text;
}

void append_aligned(std::string& out, const Directive& one, std::string text) {
  const std::size_t length = count_characters(text);
  if (length < one.width) {
    const bool has_zeros = one.has_zeros && !one.is_left && one.verb != 's' && one.verb != 'v';
    const std::size_t sign = has_zeros && text.starts_with('-') ? 1 : 0;
    const std::size_t at = one.is_left ? text.size() : sign;
    text.insert(at, one.width - length, has_zeros ? '0' : ' ');
  }
  out += text;
}

}  // namespace

std::optional<std::string> fault_of_format(std::string_view format, std::size_t values) {
  std::size_t used = 0;
  while (true) {
    const std::size_t percent = format.find('%');
    if (percent == std::string_view::npos) break;
    format.remove_prefix(percent + 1);
    const Directive one = take_directive(format);
    if (one.verb == '%') continue;
    if (one.verb == 0 || std::string_view("svdft").find(one.verb) == std::string_view::npos) {
      return "printf knows %s, %v, %d, %f, %t and %%";
    }
    if (one.width > kWidthMax || one.precision.value_or(0) > kPrecisionMax) {
      return fmt::format("printf: a width of {} and a precision of {} at most", kWidthMax,
                         kPrecisionMax);
    }
    ++used;
  }
  if (used != values) return fmt::format("printf: {} values for {} places", values, used);
  return std::nullopt;
}

Result<TemplateValue> formatted(const TemplateCall& call) {
  const std::string whole = text_of(call.arguments[0]);
  std::string_view format = whole;
  std::string out;
  std::size_t next = 1;
  while (!format.empty()) {
    const std::size_t percent = format.find('%');
    out += format.substr(0, percent);
    if (percent == std::string_view::npos) break;
    format.remove_prefix(percent + 1);
    const Directive one = take_directive(format);
    if (one.verb == '%') {
      out += '%';
      continue;
    }
    auto text = shown(one, call.arguments[next++]);
    if (!text) return forward(text);
    append_aligned(out, one, std::move(*text));
    if (out.size() > kFormattedBytesMax) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("a text of more than {} bytes", kFormattedBytesMax));
    }
  }
  return TemplateValue(std::move(out));
}

}  // namespace vigia::logql::pipeline
