// Label filters: `| status >= 500 and (path="/" or duration > 10ms)`.
#include <utility>

#include <fmt/format.h>

#include "libs/logql/internal/log_parser.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/quantities.hpp"

namespace vigia::logql::internal {
namespace {

std::optional<Comparison> comparison_of(LogTokenKind kind) {
  switch (kind) {
    case LogTokenKind::kAssign:  // of a number = is ==
    case LogTokenKind::kEqual:
      return Comparison::kEqual;
    case LogTokenKind::kNotEqual:
      return Comparison::kNotEqual;
    case LogTokenKind::kGreater:
      return Comparison::kGreater;
    case LogTokenKind::kGreaterOrEqual:
      return Comparison::kGreaterOrEqual;
    case LogTokenKind::kLess:
      return Comparison::kLess;
    case LogTokenKind::kLessOrEqual:
      return Comparison::kLessOrEqual;
    default:
      return std::nullopt;
  }
}

std::optional<MatchType> text_match_of(LogTokenKind kind) {
  switch (kind) {
    case LogTokenKind::kAssign:
      return MatchType::kEqual;
    case LogTokenKind::kNotEqual:
      return MatchType::kNotEqual;
    case LogTokenKind::kRegexMatch:
      return MatchType::kRegex;
    case LogTokenKind::kRegexNotMatch:
      return MatchType::kNotRegex;
    default:
      return std::nullopt;
  }
}

LabelConditionPtr condition_of(decltype(LabelCondition::node) node) {
  auto made = std::make_unique<LabelCondition>();
  made->node = std::move(node);
  return made;
}

}  // namespace

bool LogParser::parse_label_filter(LogSelector& selector) {
  LabelConditionPtr condition = parse_conditions();
  if (!condition) return false;
  selector.stages.emplace_back(LabelFilterStage{std::move(condition)});
  return true;
}

LabelConditionPtr LogParser::joined(LabelConditionPtr left, LabelConditionPtr right, bool is_and) {
  if (!left || !right) return nullptr;
  const std::size_t depth = 1 + std::max(left->depth, right->depth);
  if (!count_node(depth)) return nullptr;
  auto made = condition_of(ConditionPair{is_and, std::move(left), std::move(right)});
  made->depth = depth;
  return made;
}

LabelConditionPtr LogParser::parse_conditions() {
  if (++nesting_ > kQueryNestingMax) {
    fail_too_large(fmt::format("the query is nested deeper than {} levels", kQueryNestingMax));
    return nullptr;
  }
  LabelConditionPtr left = parse_and_conditions();
  while (left && !error_ && is_at_word("or")) {
    advance();
    left = joined(std::move(left), parse_and_conditions(), false);
  }
  --nesting_;
  return error_ ? nullptr : std::move(left);
}

/// A comma, and nothing at all, are an `and` as well.
LabelConditionPtr LogParser::parse_and_conditions() {
  LabelConditionPtr left = parse_condition();
  while (left && !error_) {
    if (is_at_word("and") || is_at(LogTokenKind::kComma)) {
      advance();
    } else if (!(is_at(LogTokenKind::kWord) && token_.text != "or") &&
               !is_at(LogTokenKind::kLeftParen)) {
      break;
    }
    left = joined(std::move(left), parse_condition(), true);
  }
  return error_ ? nullptr : std::move(left);
}

LabelConditionPtr LogParser::parse_condition() {
  if (error_) return nullptr;
  if (is_at(LogTokenKind::kLeftParen)) {
    advance();
    LabelConditionPtr inner = error_ ? nullptr : parse_conditions();
    if (!inner || !expect(LogTokenKind::kRightParen, "\")\"", "a label filter")) return nullptr;
    return inner;
  }
  std::string label;
  const std::size_t offset = token_.offset;
  if (!is_at(LogTokenKind::kWord)) {
    fail_unexpected("a pipeline, expected a stage or a label");
    return nullptr;
  }
  if (!take_label(label, "a label filter")) return nullptr;
  if (!comparison_of(token_.kind) && !text_match_of(token_.kind)) {
    fail(offset, fmt::format("unknown stage \"{}\", or a label filter without an operator",
                             label.substr(0, 64)));
    return nullptr;
  }
  return count_node(1) ? parse_comparison(std::move(label)) : nullptr;
}

LabelConditionPtr LogParser::parse_comparison(std::string label) {
  const auto comparison = comparison_of(token_.kind);
  const auto match = text_match_of(token_.kind);
  const std::size_t offset = token_.offset;
  advance();
  if (match && is_at_word("ip")) {
    const bool is_plain = *match == MatchType::kEqual || *match == MatchType::kNotEqual;
    if (is_plain) return parse_address(std::move(label), *match == MatchType::kNotEqual);
  }
  if (match && is_at(LogTokenKind::kString)) {
    Matcher matcher{*match, std::move(label), {}};
    if (!take_text(matcher.value, "a label filter")) return nullptr;
    const bool has_regex = *match == MatchType::kRegex || *match == MatchType::kNotRegex;
    if (has_regex && !check_regex(matcher.value, offset)) return nullptr;
    return condition_of(std::move(matcher));
  }
  const LogToken value = token_;
  if (!comparison || error_) {
    fail_unexpected("a label filter, expected a string");
    return nullptr;
  }
  const bool is_negative = is_at(LogTokenKind::kSubtract);
  if (is_negative) advance();
  const LogToken amount = token_;
  if (amount.kind == LogTokenKind::kNumber) {
    advance();
    const double number = *parse_plain_number(amount.text);
    return condition_of(
        NumberCondition{std::move(label), *comparison, is_negative ? -number : number});
  }
  if (amount.kind == LogTokenKind::kDuration) {
    advance();
    const Duration length = *parse_length(amount.text);
    return condition_of(
        DurationCondition{std::move(label), *comparison, is_negative ? -length : length});
  }
  if (amount.kind == LogTokenKind::kBytes && !is_negative) {
    advance();
    return condition_of(BytesCondition{std::move(label), *comparison, *parse_size(amount.text)});
  }
  fail(value.offset, "a label filter compares with a string, a number, a duration or a size");
  return nullptr;
}

LabelConditionPtr LogParser::parse_address(std::string label, bool is_negative) {
  advance();
  AddressCondition condition{std::move(label), is_negative, {}};
  if (!expect(LogTokenKind::kLeftParen, "\"(\"", "ip") || !take_text(condition.address, "ip") ||
      !expect(LogTokenKind::kRightParen, "\")\"", "ip")) {
    return nullptr;
  }
  return condition_of(std::move(condition));
}

}  // namespace vigia::logql::internal
