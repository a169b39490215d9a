// Aggregations and calls: `sum by (x) (rate({…}[5m]))`.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/internal/log_parser.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/operators.hpp"
#include "libs/logql/quantities.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::internal {

LogExprPtr LogParser::parse_call(const LogToken& name) {
  advance();
  if (const auto op = find_range_operator(name.text)) return parse_range_aggregation(name, *op);
  if (const auto op = find_vector_operator(name.text)) return parse_vector_aggregation(name, *op);
  if (name.text == "vector") return parse_vector(name);
  if (name.text == "label_replace") return parse_label_replace(name);
  fail(name.offset, fmt::format("unknown function \"{}\"", name.text.substr(0, 64)));
  return nullptr;
}

LogExprPtr LogParser::parse_vector(const LogToken& name) {
  if (!expect(LogTokenKind::kLeftParen, "\"(\"", "vector")) return nullptr;
  const bool is_negative = is_at(LogTokenKind::kSubtract);
  if (is_negative || is_at(LogTokenKind::kAdd)) advance();
  LogExprPtr constant = error_ ? nullptr : parse_constant(is_negative);
  if (!constant || !expect(LogTokenKind::kRightParen, "\")\"", "vector")) return nullptr;
  std::get<ConstantExpr>(constant->node).is_scalar = false;
  constant->value = LogValue::kVector;
  constant->offset = name.offset;
  return constant;
}

LogExprPtr LogParser::parse_label_replace(const LogToken& name) {
  constexpr std::string_view kWhere = "label_replace";
  if (!expect(LogTokenKind::kLeftParen, "\"(\"", kWhere)) return nullptr;
  LabelReplaceExpr made;
  made.expr = parse_operators(0);
  if (!made.expr) return nullptr;
  if (made.expr->value != LogValue::kVector) {
    fail(made.expr->offset, "label_replace takes a vector of samples");
    return nullptr;
  }
  for (std::string* text : {&made.to, &made.replacement, &made.from, &made.regex}) {
    if (!expect(LogTokenKind::kComma, "\",\"", kWhere) || !take_text(*text, kWhere)) return nullptr;
  }
  if (!promql::is_label_name(made.to)) {
    fail(name.offset, "label_replace: the label to be set is no name of a label");
    return nullptr;
  }
  if (!check_regex(made.regex, name.offset)) return nullptr;
  if (!expect(LogTokenKind::kRightParen, "\")\"", kWhere)) return nullptr;
  const std::size_t depth = made.expr->depth;
  return make(std::move(made), LogValue::kVector, name.offset, depth);
}

bool LogParser::parse_grouping(LabelGrouping& grouping) {
  using Grouping = promql::Aggregation::Grouping;
  if (!is_at_word("by") && !is_at_word("without")) return !error_;
  grouping.kind = is_at_word("by") ? Grouping::kBy : Grouping::kWithout;
  advance();
  return parse_label_list(grouping.labels);
}

LogExprPtr LogParser::parse_vector_aggregation(const LogToken& name, VectorOperator op) {
  const std::string_view where = to_string(op);
  VectorAggregation made;
  made.op = op;
  if (!parse_grouping(made.grouping)) return nullptr;
  if (!expect(LogTokenKind::kLeftParen, "\"(\"", where)) return nullptr;
  if (takes_parameter(op)) {
    const LogToken token = token_;
    const auto count = is_at(LogTokenKind::kNumber) ? parse_plain_number(token.text) : std::nullopt;
    if (!count || *count < 1 || *count > 1e6 || *count != std::floor(*count)) {
      fail(token.offset, fmt::format("{} takes a whole number from 1 to a million", where));
      return nullptr;
    }
    made.parameter = static_cast<std::uint32_t>(*count);
    advance();
    if (!expect(LogTokenKind::kComma, "\",\"", where)) return nullptr;
  }
  made.expr = parse_operators(0);
  if (!made.expr || !expect(LogTokenKind::kRightParen, "\")\"", where)) return nullptr;
  const bool is_grouped = made.grouping.kind != promql::Aggregation::Grouping::kNone;
  if (!is_grouped && !parse_grouping(made.grouping)) return nullptr;
  if (made.expr->value != LogValue::kVector) {
    fail(made.expr->offset, fmt::format("{} takes a vector of samples", where));
    return nullptr;
  }
  if (made.grouping.kind != promql::Aggregation::Grouping::kNone && !takes_grouping(op)) {
    fail(name.offset, fmt::format("{} has no grouping", where));
    return nullptr;
  }
  const std::size_t depth = made.expr->depth;
  return make(std::move(made), LogValue::kVector, name.offset, depth);
}

LogExprPtr LogParser::parse_range_aggregation(const LogToken& name, RangeOperator op) {
  const std::string_view where = to_string(op);
  RangeAggregation made;
  made.op = op;
  if (!expect(LogTokenKind::kLeftParen, "\"(\"", where)) return nullptr;
  if (op == RangeOperator::kQuantileOverTime) {
    const bool is_negative = is_at(LogTokenKind::kSubtract);
    if (is_negative) advance();
    if (!is_at(LogTokenKind::kNumber)) {
      fail_unexpected("quantile_over_time, expected a number");
      return nullptr;
    }
    made.parameter = *parse_plain_number(token_.text) * (is_negative ? -1 : 1);
    advance();
    if (!expect(LogTokenKind::kComma, "\",\"", where)) return nullptr;
  }
  if (!parse_range(made) || !expect(LogTokenKind::kRightParen, "\")\"", where)) return nullptr;
  if (!parse_grouping(made.grouping) || !check_range(made, name.offset)) return nullptr;
  return make(std::move(made), LogValue::kVector, name.offset, 0);
}

/// The range may stand behind the selector, behind the stages, and behind parentheses around
/// either.
bool LogParser::parse_range(RangeAggregation& aggregation) {
  std::size_t parens = 0;
  for (; is_at(LogTokenKind::kLeftParen); advance()) {
    if (++parens > kQueryNestingMax) {
      return fail_too_large(
          fmt::format("the query is nested deeper than {} levels", kQueryNestingMax));
    }
  }
  if (error_ || !parse_selector(aggregation.logs)) return false;
  const auto is_at_range = [&] {
    return is_at(LogTokenKind::kLeftBracket) && aggregation.range == Duration(0);
  };
  if (is_at_range() && !parse_length_and_offset(aggregation)) return false;
  if (!parse_stages(aggregation.logs)) return false;
  if (is_at_range() && !parse_length_and_offset(aggregation)) return false;
  for (; parens > 0; --parens) {
    if (!expect(LogTokenKind::kRightParen, "\")\"", "a range")) return false;
    if (is_at_range() && !parse_length_and_offset(aggregation)) return false;
  }
  return aggregation.range > Duration(0) || fail_unexpected("a range, expected \"[\"");
}

bool LogParser::parse_length_and_offset(RangeAggregation& aggregation) {
  const std::size_t begin = token_.offset;
  advance();
  if (!is_at(LogTokenKind::kDuration)) return fail_unexpected("a range, expected a duration");
  aggregation.range = *parse_length(token_.text);
  if (aggregation.range <= Duration(0)) return fail(begin, "duration must be greater than 0");
  advance();
  if (!expect(LogTokenKind::kRightBracket, "\"]\"", "a range")) return false;
  if (!is_at_word("offset")) return true;
  advance();
  const bool is_negative = is_at(LogTokenKind::kSubtract);
  if (is_negative) advance();
  if (!is_at(LogTokenKind::kDuration)) return fail_unexpected("offset, expected a duration");
  const Duration length = *parse_length(token_.text);
  aggregation.offset = is_negative ? -length : length;
  advance();
  return !error_;
}

bool LogParser::check_range(const RangeAggregation& aggregation, std::size_t offset) {
  const RangeOperator op = aggregation.op;
  const auto& stages = aggregation.logs.stages;
  const bool is_unwrapped = std::any_of(stages.begin(), stages.end(), [](const Stage& stage) {
    return std::holds_alternative<UnwrapStage>(stage);
  });
  if (is_unwrapped && !takes_unwrapped(op)) {
    return fail(offset, fmt::format("{} counts lines and takes no unwrap", to_string(op)));
  }
  if (!is_unwrapped && !takes_lines(op)) {
    return fail(offset, fmt::format("{} needs the values of a label: unwrap one", to_string(op)));
  }
  const bool is_grouped = aggregation.grouping.kind != promql::Aggregation::Grouping::kNone;
  if (is_grouped && !takes_grouping(op)) {
    return fail(offset, fmt::format("{} has no grouping", to_string(op)));
  }
  return true;
}

bool LogParser::parse_label_list(std::vector<std::string>& labels) {
  constexpr std::string_view kWhere = "a list of labels";
  if (!expect(LogTokenKind::kLeftParen, "\"(\"", kWhere)) return false;
  while (!is_at(LogTokenKind::kRightParen)) {
    if (!take_label(labels.emplace_back(), kWhere)) return false;
    if (is_at(LogTokenKind::kComma)) {
      advance();
    } else if (!is_at(LogTokenKind::kRightParen)) {
      return fail_unexpected("a list of labels, expected \",\" or \")\"");
    }
  }
  advance();
  return !error_;
}

}  // namespace vigia::logql::internal
