#include "libs/logql/pipeline/label_condition.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/logql/pipeline/label_values.hpp"

namespace vigia::logql::pipeline {
namespace {

bool compare(double value, Comparison comparison, double wanted) {
  switch (comparison) {
    case Comparison::kEqual:
      return value == wanted;
    case Comparison::kNotEqual:
      return value != wanted;
    case Comparison::kGreater:
      return value > wanted;
    case Comparison::kGreaterOrEqual:
      return value >= wanted;
    case Comparison::kLess:
      return value < wanted;
    case Comparison::kLessOrEqual:
      return value <= wanted;
  }
  return false;
}

}  // namespace

Result<CompiledMatcher> CompiledMatcher::compile(const Matcher& matcher, RegexMemory& memory) {
  CompiledMatcher compiled(matcher);
  if (matcher.type == MatchType::kEqual || matcher.type == MatchType::kNotEqual) return compiled;
  auto regex = LineRegex::compile(matcher.value, memory, LineRegex::Dot::kEverything);
  if (!regex) return forward(regex);
  compiled.regex_ = std::move(*regex);
  return compiled;
}

bool CompiledMatcher::is_met_by(std::string_view value, LineWork& work, bool if_refused) const {
  if (regex_ && !work.take(regex_->work_of(value.size()))) return if_refused;
  const bool is_positive = matcher_.type == MatchType::kEqual || matcher_.type == MatchType::kRegex;
  return (regex_ ? regex_->is_whole(value) : value == matcher_.value) == is_positive;
}

Result<CompiledCondition> CompiledCondition::compile(const LabelCondition& condition,
                                                     RegexMemory& memory) {
  return std::visit([&](const auto& node) { return compile_node(node, memory); }, condition.node);
}

Result<CompiledCondition> CompiledCondition::compile_node(const Matcher& matcher,
                                                          RegexMemory& memory) {
  auto compiled = CompiledMatcher::compile(matcher, memory);
  if (!compiled) return forward(compiled);
  return CompiledCondition(Node(std::move(*compiled)));
}

Result<CompiledCondition> CompiledCondition::compile_node(const NumberCondition& condition,
                                                          RegexMemory& /*memory*/) {
  return CompiledCondition(
      Compared{condition.label, condition.comparison, condition.value, number_of, "number"});
}

Result<CompiledCondition> CompiledCondition::compile_node(const DurationCondition& condition,
                                                          RegexMemory& /*memory*/) {
  const double seconds = static_cast<double>(condition.value.count()) / 1e9;
  return CompiledCondition(
      Compared{condition.label, condition.comparison, seconds, seconds_of, "duration"});
}

Result<CompiledCondition> CompiledCondition::compile_node(const BytesCondition& condition,
                                                          RegexMemory& /*memory*/) {
  return CompiledCondition(Compared{condition.label, condition.comparison,
                                    static_cast<double>(condition.value), bytes_of, "size"});
}

Result<CompiledCondition> CompiledCondition::compile_node(const AddressCondition& condition,
                                                          RegexMemory& /*memory*/) {
  auto range = AddressRange::parse(condition.address);
  if (!range) return forward(range);
  return CompiledCondition(AddressOf{condition.label, condition.is_negative, *range});
}

Result<CompiledCondition> CompiledCondition::compile_node(const ConditionPair& pair,
                                                          RegexMemory& memory) {
  auto left = compile(*pair.left, memory);
  if (!left) return forward(left);
  auto right = compile(*pair.right, memory);
  if (!right) return forward(right);
  return CompiledCondition(Pair{pair.is_and, std::make_unique<CompiledCondition>(std::move(*left)),
                                std::make_unique<CompiledCondition>(std::move(*right))});
}

bool CompiledCondition::passes(LineLabels& labels, LineWork& work) const {
  return std::visit([&](const auto& node) { return check(node, labels, work); }, node_);
}

bool CompiledCondition::check(const CompiledMatcher& matcher, LineLabels& labels, LineWork& work) {
  return matcher.is_met_by(labels.get(matcher.name()), work, true);
}

bool CompiledCondition::check(const Compared& compared, LineLabels& labels, LineWork& work) {
  if (!labels.has(compared.label)) return false;
  const std::string_view text = labels.get(compared.label);
  if (!work.take(text.size())) return true;
  const auto value = compared.read(text);
  if (value) return compare(*value, compared.comparison, compared.value);
  if (!labels.has_failed()) {
    labels.fail(kLabelFilterError,
                fmt::format("{}=\"{:.200}\" is no {}", compared.label, text, compared.what));
  }
  return true;
}

bool CompiledCondition::check(const AddressOf& address, LineLabels& labels, LineWork& work) {
  if (!labels.has(address.label)) return false;
  const std::string_view text = labels.get(address.label);
  if (!work.take(text.size())) return true;
  return address.range.is_in(text) != address.is_negative;
}

bool CompiledCondition::check(const Pair& pair, LineLabels& labels, LineWork& work) {
  const bool left = pair.left->passes(labels, work);
  if (left != pair.is_and) return left;
  return pair.right->passes(labels, work);
}

}  // namespace vigia::logql::pipeline
