// Stages of the tree into stages that run.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/pipeline/stages.hpp"

namespace vigia::logql::pipeline {
namespace {

// Escape sequences of terminals, in seven bits and in eight: those of colours, and those that end
// with a bell, as a window's title does.
constexpr std::string_view kColors =
    "(?:\\x1B|\\x{9B})[\\[\\]()#;?]*(?:(?:[A-Za-z\\d]*(?:;[A-Za-z\\d]*)*)?\\x07|"
    "(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~])";

class StageCompiler {
 public:
  explicit StageCompiler(SelectorRegexes& regexes) : regexes_(regexes) {}

  Result<CompiledStage> operator()(const LineFilter& filter) const {
    auto compiled = CompiledLineFilter::compile(filter, regexes_.memory);
    if (!compiled) return forward(compiled);
    return FilterLine{std::move(*compiled)};
  }

  Result<CompiledStage> operator()(const JsonStage& stage) const {
    ExtractJson made;
    for (const Extraction& one : stage.wanted) {
      auto path = parse_json_path(one.path);
      if (!path) return forward(path);
      made.paths.push_back(std::move(*path));
      made.labels.push_back(one.label);
    }
    return made;
  }

  Result<CompiledStage> operator()(const LogfmtStage& stage) const { return ExtractLogfmt{stage}; }

  Result<CompiledStage> operator()(const RegexpStage& stage) const {
    auto regex = LineRegex::compile(stage.regex, regexes_.memory);
    if (!regex) return forward(regex);
    ExtractGroups made{std::move(*regex), {}, {}};
    const std::vector<std::string> names = made.regex.group_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) made.names.emplace_back(i + 1, names[i]);
    }
    if (made.names.empty()) {
      return fail(ErrorCode::kInvalid,
                  "parse error: regexp needs a named capture at least, as (?P<name>…)");
    }
    made.groups.resize(names.size() + 1);
    return made;
  }

  Result<CompiledStage> operator()(const PatternStage& stage) const {
    auto pattern = CapturePattern::parse(stage.pattern);
    if (!pattern) return forward(pattern);
    return ExtractCaptures{std::move(*pattern)};
  }

  Result<CompiledStage> operator()(const UnpackStage& /*stage*/) const { return Unpack{}; }

  Result<CompiledStage> operator()(const DecolorizeStage& /*stage*/) const {
    auto colors = LineRegex::compile(kColors, regexes_.memory);
    if (!colors) return forward(colors);
    return Decolorize{std::move(*colors), {}};
  }

  Result<CompiledStage> operator()(const LineFormatStage& stage) const {
    auto format = LineTemplate::compile(stage.format, regexes_);
    if (!format) return forward(format);
    return FormatLine{std::move(*format), {}};
  }

  Result<CompiledStage> operator()(const LabelFormatStage& stage) const {
    FormatLabels made;
    for (const LabelFormatStage::Item& item : stage.items) {
      if (item.label == kErrorLabel || item.label == kErrorDetailsLabel) {
        return fail(ErrorCode::kInvalid,
                    fmt::format("parse error: {} cannot be formatted", item.label));
      }
      auto& one = made.items.emplace_back();
      one.label = item.label;
      if (!item.is_format) {
        one.source = item.source;
        continue;
      }
      auto format = LineTemplate::compile(item.source, regexes_);
      if (!format) return forward(format);
      one.format = std::move(*format);
    }
    return made;
  }

  Result<CompiledStage> operator()(const DropStage& stage) const {
    return chosen(stage.labels, false);
  }
  Result<CompiledStage> operator()(const KeepStage& stage) const {
    return chosen(stage.labels, true);
  }

  Result<CompiledStage> operator()(const LabelFilterStage& stage) const {
    auto condition = CompiledCondition::compile(*stage.condition, regexes_.memory);
    if (!condition) return forward(condition);
    return FilterLabels{std::move(*condition)};
  }

  Result<CompiledStage> operator()(const UnwrapStage& stage) const { return UnwrapLabel{stage}; }

 private:
  Result<CompiledStage> chosen(const std::vector<LabelChoice>& labels, bool is_kept) const {
    ChooseLabels made;
    made.is_kept = is_kept;
    for (const LabelChoice& label : labels) {
      auto& choice = made.choices.emplace_back();
      choice.label = label.label;
      if (!label.only) continue;
      auto only = CompiledMatcher::compile(*label.only, regexes_.memory);
      if (!only) return forward(only);
      choice.only = std::move(*only);
    }
    return made;
  }

  SelectorRegexes& regexes_;
};

}  // namespace

Result<CompiledStage> compile_stage(const Stage& stage, SelectorRegexes& regexes) {
  return std::visit(StageCompiler(regexes), stage);
}

}  // namespace vigia::logql::pipeline
