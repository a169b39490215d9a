// The tree of a template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/pipeline/line_regex.hpp"
#include "libs/logql/pipeline/line_template.hpp"
#include "libs/logql/pipeline/template_functions.hpp"
#include "libs/logql/pipeline/template_value.hpp"

namespace vigia::logql::pipeline {

struct TemplatePipe;

struct TemplateOperand {
  struct LabelOf {
    std::string name;
  };
  struct Line {};
  struct Time {};
  std::variant<TemplateValue, LabelOf, Line, Time, std::unique_ptr<TemplatePipe>> node;
};

/// A call, or with no function one value.
struct TemplateCommand {
  const TemplateFunction* function = nullptr;
  std::vector<TemplateOperand> operands;
  std::optional<LineRegex> regex;
};

/// Each command gets the value of the one before it as its last argument.
struct TemplatePipe {
  std::vector<TemplateCommand> commands;
};

/// A text; a value to be written; or with is_condition a choice between two lists.
struct TemplateNode {
  std::string text;
  std::optional<TemplatePipe> pipe;
  bool is_condition = false;
  std::vector<TemplateNode> then;
  std::vector<TemplateNode> otherwise;
};

/// See LineTemplate::compile.
Result<std::vector<TemplateNode>> parse_template(std::string_view text, SelectorRegexes& regexes);

}  // namespace vigia::logql::pipeline
