// The functions of line_format and label_format.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/logql/pipeline/line_regex.hpp"
#include "libs/logql/pipeline/template_value.hpp"

namespace vigia::logql::pipeline {

/// What a call brings: values, and the regex of functions that have one.
struct TemplateCall {
  std::span<TemplateValue> arguments;
  const LineRegex* regex = nullptr;
  LineWork& work;  ///< of the line
};

struct TemplateFunction {
  std::string_view name;
  std::size_t arguments_min;
  std::size_t arguments_max;
  /// What has to be written as a text in the template, so that it is judged before the first line:
  /// the regex, and the format of printf.
  enum class First { kValue, kRegex, kFormat } first;
  Result<TemplateValue> (*call)(const TemplateCall& call);
};

/// Null where the name is not known.
const TemplateFunction* find_template_function(std::string_view name);
/// printf: %s, %v, %d, %f, %t and %%, with width, precision, "-" and "0".
Result<TemplateValue> formatted(const TemplateCall& call);
/// Why a format cannot be used with so many values; nothing where it can.
std::optional<std::string> fault_of_format(std::string_view format, std::size_t values);

}  // namespace vigia::logql::pipeline
