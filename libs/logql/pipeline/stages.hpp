// The stages, each ready to be run over lines. Of one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/capture_pattern.hpp"
#include "libs/logql/pipeline/json_line.hpp"
#include "libs/logql/pipeline/label_condition.hpp"
#include "libs/logql/pipeline/line_filter.hpp"
#include "libs/logql/pipeline/line_labels.hpp"
#include "libs/logql/pipeline/line_regex.hpp"
#include "libs/logql/pipeline/line_template.hpp"

namespace vigia::logql::pipeline {

/// A line on its way through the stages.
struct LineState {
  std::string_view text;
  std::int64_t time_ns = 0;
  LineLabels labels;
  LineWork work;
  std::optional<double> sample;  ///< of unwrap
};

/// `run` says whether the line goes on. It does where too little work is left to know.
struct FilterLine {
  CompiledLineFilter filter;
  bool run(LineState& line) const { return filter.passes(line.text, line.work); }
};

struct ExtractJson {
  std::vector<std::string> labels;
  std::vector<JsonPath> paths;  ///< empty: all members
  JsonLine json;
  bool run(LineState& line);
  bool run_paths(LineState& line);
};

struct ExtractLogfmt {
  LogfmtStage stage;
  bool run(LineState& line) const;
  bool take(LineState& line, std::string_view key, std::string_view value) const;
};

struct ExtractGroups {
  LineRegex regex;
  std::vector<std::pair<std::size_t, std::string>> names;  ///< place of the group, its name
  std::vector<std::string_view> groups;
  bool run(LineState& line);
};

struct ExtractCaptures {
  CapturePattern pattern;
  bool run(LineState& line) const;
};

struct Unpack {
  JsonLine json;
  std::string entry;
  bool run(LineState& line);
};

struct Decolorize {
  LineRegex colors;
  std::string plain;
  bool run(LineState& line);
};

struct FormatLine {
  LineTemplate format;
  std::string made;
  bool run(LineState& line);
};

struct FormatLabels {
  struct LabelTemplate {
    std::string label;
    std::string source;                  ///< a label that is to be renamed
    std::optional<LineTemplate> format;  ///< or the value
  };
  std::vector<LabelTemplate> items;
  std::vector<std::optional<std::string>> values;  ///< of the templates, of this line
  bool run(LineState& line);
  void make_values(LineState& line);
  static void rename(LineState& line, const LabelTemplate& item);
};

/// drop, and keep with is_kept.
struct ChooseLabels {
  struct Choice {
    std::string label;
    std::optional<CompiledMatcher> only;
  };
  std::vector<Choice> choices;
  bool is_kept = false;
  bool run(LineState& line) const;
};

struct FilterLabels {
  CompiledCondition condition;
  bool run(LineState& line) const { return condition.passes(line.labels, line.work); }
};

struct UnwrapLabel {
  UnwrapStage stage;
  bool run(LineState& line) const;
};

using CompiledStage =
    std::variant<FilterLine, ExtractJson, ExtractLogfmt, ExtractGroups, ExtractCaptures, Unpack,
                 Decolorize, FormatLine, FormatLabels, ChooseLabels, FilterLabels, UnwrapLabel>;

/// kInvalid, kTooLarge: see Pipeline::compile.
Result<CompiledStage> compile_stage(const Stage& stage, SelectorRegexes& regexes);

}  // namespace vigia::logql::pipeline
