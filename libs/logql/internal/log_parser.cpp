// Operators between samples, and what every part of the parser needs.
#include "libs/logql/internal/log_parser.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/quantities.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql {
namespace internal {
namespace {

using promql::BinaryOperator;
using promql::VectorMatching;

struct LogOperatorInfo {
  BinaryOperator op;
  int precedence;
};

constexpr int kPowerPrecedence = 6;

struct OperatorToken {
  LogTokenKind kind;
  LogOperatorInfo info;
};

constexpr std::array<OperatorToken, 12> kOperatorTokens{
    {{LogTokenKind::kEqual, {BinaryOperator::kEqual, 3}},
     {LogTokenKind::kNotEqual, {BinaryOperator::kNotEqual, 3}},
     {LogTokenKind::kGreater, {BinaryOperator::kGreater, 3}},
     {LogTokenKind::kGreaterOrEqual, {BinaryOperator::kGreaterOrEqual, 3}},
     {LogTokenKind::kLess, {BinaryOperator::kLess, 3}},
     {LogTokenKind::kLessOrEqual, {BinaryOperator::kLessOrEqual, 3}},
     {LogTokenKind::kAdd, {BinaryOperator::kAdd, 4}},
     {LogTokenKind::kSubtract, {BinaryOperator::kSubtract, 4}},
     {LogTokenKind::kMultiply, {BinaryOperator::kMultiply, 5}},
     {LogTokenKind::kDivide, {BinaryOperator::kDivide, 5}},
     {LogTokenKind::kModulo, {BinaryOperator::kModulo, 5}},
     {LogTokenKind::kPower, {BinaryOperator::kPower, kPowerPrecedence}}}};

std::optional<LogOperatorInfo> operator_info(const LogToken& token) {
  if (token.kind == LogTokenKind::kWord) {
    if (token.text == "or") return LogOperatorInfo{BinaryOperator::kOr, 1};
    if (token.text == "and") return LogOperatorInfo{BinaryOperator::kAnd, 2};
    if (token.text == "unless") return LogOperatorInfo{BinaryOperator::kUnless, 2};
    return std::nullopt;
  }
  for (const auto& [kind, info] : kOperatorTokens) {
    if (kind == token.kind) return info;
  }
  return std::nullopt;
}

bool is_set_operator(BinaryOperator op) {
  return op == BinaryOperator::kOr || op == BinaryOperator::kAnd || op == BinaryOperator::kUnless;
}

bool is_comparison(BinaryOperator op) {
  return op >= BinaryOperator::kEqual && op <= BinaryOperator::kLessOrEqual;
}

std::string position(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      line_start == std::string_view::npos ? offset + 1 : offset - line_start;
  return fmt::format("{}:{}", line, column);
}

}  // namespace

LogParser::LogParser(std::string_view text, bool are_regexes_known, promql::RegexBudget& regexes)
    : text_(text), are_regexes_known_(are_regexes_known), regexes_(regexes), lexer_(text) {
  advance();
}

void LogParser::advance() {
  token_ = lexer_.next();
  if (token_.kind == LogTokenKind::kError) fail(token_.offset, lexer_.message());
}

bool LogParser::is_at_word(std::string_view word) const {
  return is_at(LogTokenKind::kWord) && token_.text == word;
}

bool LogParser::fail(std::size_t offset, std::string message) {
  // The first error is the cause; what fails on the way back up would hide it.
  if (!error_) {
    error_ = Error{ErrorCode::kInvalid,
                   fmt::format("{}: parse error: {}", position(text_, offset), message)};
  }
  return false;
}

bool LogParser::fail_too_large(std::string message) {
  if (!error_) error_ = Error{ErrorCode::kTooLarge, std::move(message)};
  return false;
}

bool LogParser::fail_unexpected(std::string_view where) {
  if (is_at(LogTokenKind::kEnd)) {
    return fail(token_.offset, fmt::format("unexpected end of input in {}", where));
  }
  return fail(token_.offset,
              fmt::format("unexpected \"{}\" in {}", token_.text.substr(0, 64), where));
}

bool LogParser::expect(LogTokenKind kind, std::string_view what, std::string_view where) {
  if (!is_at(kind)) return fail_unexpected(fmt::format("{}, expected {}", where, what));
  advance();
  return !error_;
}

bool LogParser::take_text(std::string& text, std::string_view where) {
  if (!is_at(LogTokenKind::kString)) {
    return fail_unexpected(fmt::format("{}, expected a string", where));
  }
  auto value = promql::unquote(token_.text);
  if (!value) return fail(token_.offset, "bad escape in a string");
  text = std::move(*value);
  advance();
  return !error_ && count_word();
}

bool LogParser::take_label(std::string& label, std::string_view where) {
  if (!is_at(LogTokenKind::kWord)) {
    return fail_unexpected(fmt::format("{}, expected a label", where));
  }
  label = token_.text;
  advance();
  return !error_ && count_word();
}

/// Depth bounds the recursion of every later walk, the number of nodes their time. Both before the
/// node is made.
bool LogParser::count_node(std::size_t depth) {
  if (error_) return false;
  if (depth > kQueryDepthMax) {
    return fail_too_large(fmt::format("the query is deeper than {} levels", kQueryDepthMax));
  }
  if (++nodes_ <= kQueryNodesMax) return true;
  return fail_too_large(fmt::format("the query has more than {} parts", kQueryNodesMax));
}

bool LogParser::count_word() {
  if (++words_ <= kQueryWordsMax) return true;
  return fail_too_large(fmt::format("the query has more than {} labels and texts", kQueryWordsMax));
}

Result<LogExprPtr> LogParser::run() {
  if (!error_ && is_at(LogTokenKind::kEnd)) fail(0, "no expression found in input");
  LogExprPtr expr = error_ ? nullptr : parse_operators(0);
  if (!error_ && !is_at(LogTokenKind::kEnd)) fail_unexpected("the query after a whole expression");
  if (error_) return tl::unexpected<Error>(*error_);
  return expr;
}

/// Precedence climbing, as PromQL's.
LogExprPtr LogParser::parse_operators(int lowest) {
  if (++nesting_ > kQueryNestingMax) {
    fail_too_large(fmt::format("the query is nested deeper than {} levels", kQueryNestingMax));
    return nullptr;
  }
  LogExprPtr left = parse_primary();
  while (left && !error_) {
    const auto info = operator_info(token_);
    if (!info || info->precedence < lowest) break;
    const std::size_t offset = token_.offset;
    advance();
    MetricPair pair;
    pair.op = info->op;
    if (!parse_matching(pair)) return nullptr;
    // To the right of ^ the same operator goes on, to the right of every other only a tighter one.
    pair.left = std::move(left);
    pair.right = parse_operators(info->precedence == kPowerPrecedence ? kPowerPrecedence
                                                                      : info->precedence + 1);
    if (!pair.right || !check_pair(pair, offset)) return nullptr;
    const bool is_scalar =
        pair.left->value == LogValue::kScalar && pair.right->value == LogValue::kScalar;
    const std::size_t depth = std::max(pair.left->depth, pair.right->depth);
    const std::size_t begin = pair.left->offset;
    left = make(std::move(pair), is_scalar ? LogValue::kScalar : LogValue::kVector, begin, depth);
  }
  --nesting_;
  return error_ ? nullptr : std::move(left);
}

LogExprPtr LogParser::parse_primary() {
  if (error_) return nullptr;
  const LogToken first = token_;
  switch (first.kind) {
    case LogTokenKind::kLeftBrace:
      return parse_logs();
    case LogTokenKind::kLeftParen:
      return parse_paren();
    case LogTokenKind::kNumber:
      return parse_constant(false);
    case LogTokenKind::kAdd:
    case LogTokenKind::kSubtract:
      advance();
      return parse_constant(first.kind == LogTokenKind::kSubtract);
    case LogTokenKind::kWord:
      return parse_call(first);
    default:
      fail_unexpected("the query");
      return nullptr;
  }
}

LogExprPtr LogParser::parse_paren() {
  const std::size_t offset = token_.offset;
  advance();
  LogExprPtr inner = error_ ? nullptr : parse_operators(0);
  if (!inner || !expect(LogTokenKind::kRightParen, "\")\"", "parentheses")) return nullptr;
  const LogValue value = inner->value;
  const std::size_t depth = inner->depth;
  return make(GroupedExpr{std::move(inner)}, value, offset, depth);
}

LogExprPtr LogParser::parse_constant(bool is_negative) {
  const LogToken token = token_;
  if (!is_at(LogTokenKind::kNumber)) {
    fail_unexpected("the query, expected a number");
    return nullptr;
  }
  advance();
  const double value = *parse_plain_number(token.text);
  return make(ConstantExpr{is_negative ? -value : value, true}, LogValue::kScalar, token.offset, 0);
}

bool LogParser::check_pair(const MetricPair& pair, std::size_t offset) {
  const auto is_of = [&](LogValue value) {
    return pair.left->value == value || pair.right->value == value;
  };
  if (is_of(LogValue::kLogs)) {
    return fail(offset, "operators stand between samples, not between log lines: count them first");
  }
  if (is_set_operator(pair.op) && is_of(LogValue::kScalar)) {
    return fail(offset, "set operator not allowed in operations with a number");
  }
  if (pair.returns_bool && !is_comparison(pair.op)) {
    return fail(offset, "bool modifier can only be used on comparison operators");
  }
  const bool is_matched = pair.matching.scope != VectorMatching::WhichLabels::kAll;
  if (is_matched && is_of(LogValue::kScalar)) {
    return fail(offset, "matching of labels is between vectors of samples");
  }
  if (pair.matching.group != VectorMatching::Group::kNone && is_set_operator(pair.op)) {
    return fail(offset, "no grouping allowed for a set operation");
  }
  return true;
}

bool LogParser::parse_matching(MetricPair& pair) {
  if (is_at_word("bool")) {
    pair.returns_bool = true;
    advance();
  }
  if (!is_at_word("on") && !is_at_word("ignoring")) return !error_;
  VectorMatching& matching = pair.matching;
  matching.scope =
      is_at_word("on") ? VectorMatching::WhichLabels::kOn : VectorMatching::WhichLabels::kIgnoring;
  advance();
  if (!parse_label_list(matching.labels)) return false;
  if (!is_at_word("group_left") && !is_at_word("group_right")) return !error_;
  matching.group =
      is_at_word("group_left") ? VectorMatching::Group::kLeft : VectorMatching::Group::kRight;
  advance();
  return is_at(LogTokenKind::kLeftParen) ? parse_label_list(matching.include) : !error_;
}

static Result<LogExprPtr> parse_bounded(std::string_view text, bool are_regexes_known,
                                        promql::RegexBudget& regexes) {
  if (text.size() > kQueryBytesMax) {
    return vigia::fail(ErrorCode::kTooLarge,
                       fmt::format("the query is longer than {} bytes", kQueryBytesMax));
  }
  return LogParser(text, are_regexes_known, regexes).run();
}

Result<LogExprPtr> parse_printed_logs(std::string_view text) {
  promql::RegexBudget none;
  return parse_bounded(text, true, none);
}

}  // namespace internal

Result<LogExprPtr> parse_logs(std::string_view text) {
  promql::RegexBudget regexes;
  return internal::parse_bounded(text, false, regexes);
}

Result<std::vector<LogSelector>> parse_stream_selectors(const std::vector<std::string>& texts) {
  promql::RegexBudget regexes;
  std::vector<LogSelector> selectors;
  for (const std::string& text : texts) {
    auto expr = internal::parse_bounded(text, false, regexes);
    if (!expr) return forward(expr);
    auto* selector = std::get_if<LogSelector>(&(*expr)->node);
    if (selector == nullptr || !selector->stages.empty()) {
      return fail(ErrorCode::kInvalid, "1:1: parse error: expected a plain selector of streams");
    }
    selectors.push_back(std::move(*selector));
  }
  return selectors;
}

}  // namespace vigia::logql
