#include "libs/promql/parser.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/internal/parser.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/text.hpp"

namespace vigia::promql {
namespace internal {
namespace {

struct OperatorInfo {
  BinaryOperator op;
  int precedence;
};

constexpr int kPowerPrecedence = 6;

/// Precedences as in Prometheus' generated_parser.y: the fence is safe only as long as a query
/// means here what it means there.
std::optional<OperatorInfo> operator_info(TokenKind kind) {
  switch (kind) {
    case TokenKind::kOr:
      return OperatorInfo{BinaryOperator::kOr, 1};
    case TokenKind::kAnd:
      return OperatorInfo{BinaryOperator::kAnd, 2};
    case TokenKind::kUnless:
      return OperatorInfo{BinaryOperator::kUnless, 2};
    case TokenKind::kEqual:
      return OperatorInfo{BinaryOperator::kEqual, 3};
    case TokenKind::kNotEqual:
      return OperatorInfo{BinaryOperator::kNotEqual, 3};
    case TokenKind::kGreater:
      return OperatorInfo{BinaryOperator::kGreater, 3};
    case TokenKind::kGreaterOrEqual:
      return OperatorInfo{BinaryOperator::kGreaterOrEqual, 3};
    case TokenKind::kLess:
      return OperatorInfo{BinaryOperator::kLess, 3};
    case TokenKind::kLessOrEqual:
      return OperatorInfo{BinaryOperator::kLessOrEqual, 3};
    case TokenKind::kTrimUpper:
      return OperatorInfo{BinaryOperator::kTrimUpper, 3};
    case TokenKind::kTrimLower:
      return OperatorInfo{BinaryOperator::kTrimLower, 3};
    case TokenKind::kAdd:
      return OperatorInfo{BinaryOperator::kAdd, 4};
    case TokenKind::kSubtract:
      return OperatorInfo{BinaryOperator::kSubtract, 4};
    case TokenKind::kMultiply:
      return OperatorInfo{BinaryOperator::kMultiply, 5};
    case TokenKind::kDivide:
      return OperatorInfo{BinaryOperator::kDivide, 5};
    case TokenKind::kModulo:
      return OperatorInfo{BinaryOperator::kModulo, 5};
    case TokenKind::kAtan2:
      return OperatorInfo{BinaryOperator::kAtan2, 5};
    case TokenKind::kPower:
      return OperatorInfo{BinaryOperator::kPower, kPowerPrecedence};
    default:
      return std::nullopt;
  }
}

/// Words of the language that may also name a metric.
bool can_be_metric_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::kIdentifier:
    case TokenKind::kMetricIdentifier:
    case TokenKind::kAggregate:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kUnless:
    case TokenKind::kBy:
    case TokenKind::kWithout:
    case TokenKind::kOffset:
    case TokenKind::kStart:
    case TokenKind::kFinish:
    case TokenKind::kStep:
    case TokenKind::kRange:
    case TokenKind::kMinOf:
    case TokenKind::kMaxOf:
    case TokenKind::kAnchored:
    case TokenKind::kSmoothed:
    case TokenKind::kFill:
    case TokenKind::kFillLeft:
    case TokenKind::kFillRight:
      return true;
    default:
      return false;
  }
}

/// Counted only once there is an error to tell: tokens carry a byte offset, which costs nothing.
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

Parser::Parser(std::string_view text, const Language& language, bool are_regexes_known,
               RegexBudget& regexes)
    : text_(text),
      language_(language),
      are_regexes_known_(are_regexes_known),
      regexes_(regexes),
      lexer_(text, language) {
  advance();
}

void Parser::advance() {
  last_end_ = token_.offset + token_.text.size();
  token_ = lexer_.next();
  if (token_.kind == TokenKind::kError) fail(token_.offset, lexer_.message());
}

bool Parser::fail(std::size_t offset, std::string message) {
  // The first error is the cause; what fails on the way back up would hide it.
  if (!error_) {
    error_ = Error{ErrorCode::kInvalid,
                   fmt::format("{}: parse error: {}", position(text_, offset), message)};
  }
  return false;
}

bool Parser::fail_too_large(std::string message) {
  if (!error_) error_ = Error{ErrorCode::kTooLarge, std::move(message)};
  return false;
}

bool Parser::fail_unexpected(std::string_view where) {
  if (is_at(TokenKind::kEnd)) {
    return fail(token_.offset, fmt::format("unexpected end of input in {}", where));
  }
  return fail(token_.offset,
              fmt::format("unexpected \"{}\" in {}", token_.text.substr(0, 64), where));
}

bool Parser::expect(TokenKind kind, std::string_view what, std::string_view where) {
  if (!is_at(kind)) return fail_unexpected(fmt::format("{}, expected {}", where, what));
  advance();
  return !error_;
}

/// Depth bounds the recursion of every later walk (printing, fencing, destruction); the number of
/// nodes bounds their time. Both before the node is made.
bool Parser::count_node(std::size_t depth) {
  if (error_) return false;
  if (depth > kDepthMax) {
    return fail_too_large(fmt::format("the query is deeper than {} levels", kDepthMax));
  }
  if (++nodes_ > kNodesMax) {
    return fail_too_large(fmt::format("the query has more than {} parts", kNodesMax));
  }
  return true;
}

bool Parser::count_matcher() {
  if (++matchers_ <= kMatchersMax) return true;
  return fail_too_large(fmt::format("the query has more than {} labels", kMatchersMax));
}

Result<ExprPtr> Parser::run() {
  // A whole expression with something behind it is refused: Prometheus would read the rest too, and
  // nothing of it would be fenced.
  if (!error_ && is_at(TokenKind::kEnd)) fail(0, "no expression found in input");
  ExprPtr expr = error_ ? nullptr : parse_operators(0);
  if (!error_ && !is_at(TokenKind::kEnd)) fail_unexpected("the query after a whole expression");
  if (error_) return tl::unexpected<Error>(*error_);
  return expr;
}

/// Precedence climbing. `nesting_` bounds this function's own recursion, which runs ahead of the
/// depth of the tree: parentheses and unary signs recurse before there is a node to count.
ExprPtr Parser::parse_operators(int lowest) {
  if (++nesting_ > kNestingMax) {
    fail_too_large(fmt::format("the query is nested deeper than {} levels", kNestingMax));
    return nullptr;
  }
  ExprPtr left = parse_unary();
  while (left && !error_) {
    const auto info = operator_info(token_.kind);
    if (!info || info->precedence < lowest) break;
    const std::size_t offset = token_.offset;
    advance();
    Binary binary;
    binary.op = info->op;
    if (!parse_matching(binary)) return nullptr;
    // To the right of ^ the same operator goes on, to the right of every other only a tighter one.
    binary.left = std::move(left);
    binary.right = parse_operators(info->precedence == kPowerPrecedence ? kPowerPrecedence
                                                                        : info->precedence + 1);
    if (!binary.right || !check_binary(binary, offset)) return nullptr;
    const bool is_scalar =
        binary.left->type == ValueType::kScalar && binary.right->type == ValueType::kScalar;
    const std::size_t depth = std::max(binary.left->depth, binary.right->depth);
    left =
        make(std::move(binary), is_scalar ? ValueType::kScalar : ValueType::kVector, offset, depth);
  }
  --nesting_;
  return error_ ? nullptr : std::move(left);
}

ExprPtr Parser::parse_unary() {
  if (!is_at(TokenKind::kAdd) && !is_at(TokenKind::kSubtract)) {
    ExprPtr primary = parse_primary();
    return primary ? parse_postfix(std::move(primary)) : nullptr;
  }
  const Token sign = token_;
  advance();
  // A sign binds less tightly than ^ and tighter than all else: -1^2 is -(1^2).
  ExprPtr operand = error_ ? nullptr : parse_operators(kPowerPrecedence);
  if (!operand) return nullptr;
  const ValueType type = operand->type;
  if (type != ValueType::kScalar && type != ValueType::kVector) {
    fail(sign.offset, fmt::format("unary expression only allowed on expressions of type scalar or "
                                  "instant vector, got {}",
                                  to_string(type)));
    return nullptr;
  }
  const std::size_t depth = operand->depth;
  return make(Unary{sign.kind == TokenKind::kSubtract, std::move(operand)}, type, sign.offset,
              depth);
}

ExprPtr Parser::parse_literal(const Token& token) {
  advance();
  if (token.kind == TokenKind::kNumber) {
    return make(NumberLiteral{*parse_number(token.text, language_.dialect), std::nullopt},
                ValueType::kScalar, token.offset, 0);
  }
  if (token.kind == TokenKind::kDuration) {
    const Duration length = *parse_duration(token.text);
    const double seconds = std::chrono::duration<double>(length).count();
    return make(NumberLiteral{seconds, length}, ValueType::kScalar, token.offset, 0);
  }
  auto value = unquote(token.text);
  if (!value) {
    fail(token.offset, "bad escape in a string");
    return nullptr;
  }
  return make(StringLiteral{std::move(*value)}, ValueType::kString, token.offset, 0);
}

ExprPtr Parser::parse_primary() {
  if (error_) return nullptr;
  const Token first = token_;
  // Only 3.x takes a duration for a number of seconds.
  const bool is_literal = first.kind == TokenKind::kNumber || first.kind == TokenKind::kString ||
                          (first.kind == TokenKind::kDuration && language_.is_new());
  if (is_literal) return parse_literal(first);
  if (first.kind == TokenKind::kLeftParen) return parse_paren();
  if (first.kind == TokenKind::kLeftBrace) return parse_selector(nullptr);
  if (!can_be_metric_name(first.kind)) {
    fail_unexpected("the query");
    return nullptr;
  }
  advance();
  // "sum" alone is a metric of that name; only what follows makes it an aggregation.
  const bool is_grouped = is_at(TokenKind::kBy) || is_at(TokenKind::kWithout);
  if (first.kind == TokenKind::kAggregate && (is_grouped || is_at(TokenKind::kLeftParen))) {
    return parse_aggregation(first);
  }
  if (is_at(TokenKind::kLeftParen) && is_function_word(first.kind)) {
    return parse_call(first);
  }
  return parse_selector(&first);
}

ExprPtr Parser::parse_paren() {
  const std::size_t offset = token_.offset;
  advance();
  ExprPtr inner = error_ ? nullptr : parse_operators(0);
  if (!inner || !expect(TokenKind::kRightParen, "\")\"", "parentheses")) return nullptr;
  const ValueType type = inner->type;
  const std::size_t depth = inner->depth;
  return make(Paren{std::move(inner)}, type, offset, depth);
}

bool Parser::parse_arguments(std::vector<ExprPtr>& arguments, bool is_of_info) {
  if (!expect(TokenKind::kLeftParen, "\"(\"", "a call")) return false;
  if (is_at(TokenKind::kRightParen)) {
    advance();
    return !error_;
  }
  while (true) {
    // Which labels info() adds may be said of all series.
    if (is_of_info && arguments.size() == 1) labels_alone_at_ = token_.offset;
    ExprPtr argument = error_ ? nullptr : parse_operators(0);
    if (!argument) return false;
    arguments.push_back(std::move(argument));
    if (!is_at(TokenKind::kComma)) break;
    advance();
    if (is_at(TokenKind::kRightParen)) {
      return fail(token_.offset, "trailing commas not allowed in the arguments of a call");
    }
  }
  return expect(TokenKind::kRightParen, "\")\"", "the arguments of a call");
}

bool Parser::is_function_word(TokenKind kind) const {
  switch (kind) {
    case TokenKind::kIdentifier:
      return true;
    case TokenKind::kStart:
    case TokenKind::kFinish:
    case TokenKind::kStep:
    case TokenKind::kRange:
      return language_.is_since(12);
    case TokenKind::kMinOf:
    case TokenKind::kMaxOf:
      return true;  // words since the version that has the functions
    default:
      return false;
  }
}

bool Parser::check_known(const Function* function, const Token& name) {
  if (function != nullptr) {
    return is_enabled(*function, language_) ||
           fail(name.offset, fmt::format("function \"{}\" is not enabled", function->name));
  }
  const std::string_view shown = name.text.substr(0, 64);
  const auto since = first_minor_with(name.text);
  if (!since) return fail(name.offset, fmt::format("unknown function with name \"{}\"", shown));
  // The caller may know it from elsewhere.
  return fail(name.offset, fmt::format("unknown function with name \"{}\" (it came with Prometheus "
                                       "3.{}, and a store here is older)",
                                       shown, *since));
}

ExprPtr Parser::parse_call(const Token& name) {
  const Function* function = find_function(name.text, language_);
  if (!check_known(function, name)) return nullptr;
  Call call{function, {}};
  if (!parse_arguments(call.arguments, function->name == "info") || !check_call(call, name.offset))
    return nullptr;
  std::size_t depth = 0;
  for (const ExprPtr& argument : call.arguments) depth = std::max(depth, argument->depth);
  return make(std::move(call), function->result, name.offset, depth);
}

bool Parser::parse_grouping(Aggregation& aggregation) {
  if (!is_at(TokenKind::kBy) && !is_at(TokenKind::kWithout)) return true;
  aggregation.grouping =
      is_at(TokenKind::kBy) ? Aggregation::Grouping::kBy : Aggregation::Grouping::kWithout;
  advance();
  return parse_label_list(aggregation.labels);
}

ExprPtr Parser::parse_aggregation(const Token& name) {
  Aggregation aggregation;
  aggregation.op = *find_aggregate(name.text, language_.dialect);
  if (is_experimental(aggregation.op) && !language_.features.experimental_functions) {
    fail(name.offset, fmt::format("{}() is experimental and must be enabled with "
                                  "--enable-feature=promql-experimental-functions",
                                  to_string(aggregation.op)));
    return nullptr;
  }
  if (!parse_grouping(aggregation)) return nullptr;
  std::vector<ExprPtr> arguments;
  if (!parse_arguments(arguments, false)) return nullptr;
  // by (…) may stand before the arguments or behind them, once.
  const bool is_grouped = aggregation.grouping != Aggregation::Grouping::kNone;
  if (!is_grouped && !parse_grouping(aggregation)) return nullptr;
  const std::size_t wanted = parameter_type(aggregation.op) ? 2 : 1;
  if (arguments.size() != wanted) {
    fail(name.offset, fmt::format("wrong number of arguments for aggregate expression provided, "
                                  "expected {}, got {}",
                                  wanted, arguments.size()));
    return nullptr;
  }
  aggregation.expr = std::move(arguments.back());
  if (wanted == 2) aggregation.parameter = std::move(arguments.front());
  if (!check_aggregation(aggregation, name.offset)) return nullptr;
  const std::size_t parameter_depth = aggregation.parameter ? aggregation.parameter->depth : 0;
  const std::size_t depth = std::max(aggregation.expr->depth, parameter_depth);
  return make(std::move(aggregation), ValueType::kVector, name.offset, depth);
}

static Result<ExprPtr> parse_bounded(std::string_view text, const Language& language,
                                     bool are_regexes_known, RegexBudget& regexes) {
  if (text.size() > kLengthMax) {
    return fail(ErrorCode::kTooLarge, fmt::format("the query is longer than {} bytes", kLengthMax));
  }
  return Parser(text, language, are_regexes_known, regexes).run();
}

/// The printed query holds the regexes that were judged and charged when it was first read.
Result<ExprPtr> parse_printed(std::string_view text, const Language& language) {
  RegexBudget none;
  return parse_bounded(text, language, true, none);
}

}  // namespace internal

Result<ExprPtr> parse(std::string_view text, const Language& language) {
  RegexBudget regexes;
  return internal::parse_bounded(text, language, false, regexes);
}

static Result<Selector> parse_one_selector(std::string_view text, const Language& language,
                                           RegexBudget& regexes) {
  auto expr = internal::parse_bounded(text, language, false, regexes);
  if (!expr) return forward(expr);
  auto* selector = std::get_if<Selector>(&(*expr)->node);
  if (selector == nullptr || selector->range || selector->shift.has_offset ||
      selector->shift.at != TimeShift::At::kNone ||
      selector->extension != Selector::Extension::kNone) {
    return fail(ErrorCode::kInvalid, "1:1: parse error: expected a plain series selector");
  }
  return std::move(*selector);
}

Result<std::vector<Selector>> parse_series_selectors(const std::vector<std::string>& texts,
                                                     const Language& language) {
  RegexBudget regexes;
  std::vector<Selector> selectors;
  for (const std::string& text : texts) {
    auto selector = parse_one_selector(text, language, regexes);
    if (!selector) return forward(selector);
    selectors.push_back(std::move(*selector));
  }
  return selectors;
}

}  // namespace vigia::promql
