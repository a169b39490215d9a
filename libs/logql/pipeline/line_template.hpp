// The templates of line_format and label_format.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/pipeline/line_labels.hpp"
#include "libs/logql/pipeline/line_regex.hpp"
#include "libs/promql/regex_budget.hpp"

namespace vigia::logql::pipeline {

struct TemplateNode;

/// What compiling the regexes of one selector may cost: those of templates, which the parser has
/// not seen, in time; all of them in memory.
struct SelectorRegexes {
  promql::RegexBudget of_templates;
  RegexMemory memory;
};

/// A part of Go's text/template: texts, `{{.label}}`, `{{__line__}}`, `{{__timestamp__}}`, calls of
/// the functions in template_functions.cpp, pipes, parentheses, texts, numbers, true and false,
/// `{{if}} {{else if}} {{else}} {{end}}`, comments, and "-" at the braces. No range, with,
/// variables, templates. A label that is absent is "". Movable; any thread.
class LineTemplate {
 public:
  struct Input {
    const LineLabels& labels;
    std::string_view line;
    std::int64_t time_ns = 0;
    LineWork& work;
  };

  /// kInvalid "parse error: …" on what is not listed above: no line is looked at then. kTooLarge
  /// where its regexes pass the allowance.
  static Result<LineTemplate> compile(std::string_view text, SelectorRegexes& regexes);
  LineTemplate(LineTemplate&&) noexcept;
  LineTemplate& operator=(LineTemplate&&) noexcept;
  ~LineTemplate();

  /// Writes the text into `out`. kInvalid, and nothing of use in `out`, on a value that a function
  /// cannot take, and past kFormattedBytesMax and the work of the line.
  Result<void> run(const Input& input, std::string& out) const;

 private:
  explicit LineTemplate(std::vector<TemplateNode> nodes);
  std::vector<TemplateNode> nodes_;
};

}  // namespace vigia::logql::pipeline
