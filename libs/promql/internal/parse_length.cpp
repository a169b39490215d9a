// Lengths that are computed: [2 * step()], offset -(1h / 3). Since 3.4, the words since later ones.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/internal/parser.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/text.hpp"

namespace vigia::promql::internal {
namespace {

using Op = LengthExpr::Op;

constexpr int kExpressionsSince = 4;
// Until then nothing asked whether they are switched on where they are words alone.
constexpr int kWordsAskSince = 12;
constexpr double kSecondsMax = 9'223'372'036.0;

struct LengthOperator {
  TokenKind kind;
  Op op;
  int precedence;
};

constexpr int kUnaryPrecedence = 2;  // as the product's: -a * b is (-a) * b, -a ^ b is -(a ^ b)
constexpr int kPowerPrecedence = 3;
constexpr std::array<LengthOperator, 6> kOperators{
    {{TokenKind::kAdd, Op::kAdd, 1},
     {TokenKind::kSubtract, Op::kSubtract, 1},
     {TokenKind::kMultiply, Op::kMultiply, 2},
     {TokenKind::kDivide, Op::kDivide, 2},
     {TokenKind::kModulo, Op::kModulo, 2},
     {TokenKind::kPower, Op::kPower, kPowerPrecedence}}};

std::size_t depth_of(const LengthExprPtr& expr) { return expr ? expr->depth : 0; }

bool is_zero(const LengthExpr& expr) { return expr.op == Op::kLiteral && expr.seconds == 0; }

}  // namespace

LengthExprPtr Parser::make_length(LengthExpr node) {
  node.depth = 1 + std::max(depth_of(node.left), depth_of(node.right));
  node.end = last_end_;
  return count_node(node.depth) ? std::make_shared<const LengthExpr>(std::move(node)) : nullptr;
}

bool Parser::check_length_expressions(std::size_t offset) {
  if (are_regexes_known_) return fail(offset, "a length is not computed yet");
  return language_.features.length_expressions ||
         fail(offset, "experimental duration expression is not enabled");
}

std::optional<Parser::Length> Parser::length_of(const LengthExprPtr& expr) {
  if (!expr) return std::nullopt;
  if (expr->op != Op::kLiteral) {
    if (are_regexes_known_ && !check_length_expressions(expr->begin)) return std::nullopt;
    return Length{kLengthUnknown, expr};
  }
  // What is written as a duration is whole milliseconds, which a number of seconds need not be.
  if (expr->is_duration) {
    return Length{std::chrono::milliseconds(std::llround(expr->seconds * 1e3)), nullptr};
  }
  return Length{Duration{std::llround(expr->seconds * 1e9)}, nullptr};
}

std::optional<Parser::Length> Parser::parse_positive_length(std::string_view what) {
  length_place_ = what;
  const std::size_t offset = token_.offset;
  std::optional<Length> length;
  if (language_.is_since(kExpressionsSince)) {
    length = length_of(parse_length_sum(0));
  } else if (const auto plain = parse_length(what)) {
    length = Length{*plain, nullptr};
  }
  if (length && length->value.count() <= 0) {
    fail(offset, "duration must be greater than 0");
    return std::nullopt;
  }
  return length;
}

std::optional<Parser::Length> Parser::parse_offset_length() {
  length_place_ = "offset";
  if (language_.is_since(kExpressionsSince)) return length_of(parse_offset_expr());
  const bool is_negative = is_at(TokenKind::kSubtract);
  if (is_negative) advance();
  const auto length = parse_length("offset");
  if (!length) return std::nullopt;
  return Length{is_negative ? -*length : *length, nullptr};
}

bool Parser::is_extreme() const {
  return is_at(TokenKind::kAggregate) && language_.is_since(6) && !language_.is_since(13) &&
         (equal_ignoring_case(token_.text, "min") || equal_ignoring_case(token_.text, "max"));
}

std::optional<Op> Parser::length_word() const {
  switch (token_.kind) {
    case TokenKind::kStep:
      return Op::kStep;
    case TokenKind::kRange:
      return Op::kRange;
    case TokenKind::kMinOf:
      return Op::kMin;
    case TokenKind::kMaxOf:
      return Op::kMax;
    default:
      break;
  }
  if (!is_extreme()) return std::nullopt;
  return equal_ignoring_case(token_.text, "min") ? Op::kMin : Op::kMax;
}

/// Behind `offset` a sign, a word or a number is all, so that `x offset 5m + 3` is a sum; what
/// stands in parentheses without a sign goes on: `x offset (5m) + 3` is an offset.
LengthExprPtr Parser::parse_offset_expr() {
  const bool is_signed = is_at(TokenKind::kSubtract) || is_at(TokenKind::kAdd);
  if (!is_signed) {
    return is_at(TokenKind::kLeftParen) ? parse_length_sum(0) : parse_length_primary();
  }
  const Token sign = token_;
  advance();
  if (is_at(TokenKind::kSubtract) || is_at(TokenKind::kAdd)) {
    LengthExprPtr left = parse_length_sum(kUnaryPrecedence + 1);
    if (left && sign.kind == TokenKind::kSubtract) left = negated(std::move(left), sign.offset);
    return parse_length_rest(std::move(left), 0);
  }
  LengthExprPtr operand = error_ ? nullptr : parse_length_primary();
  if (!operand || sign.kind == TokenKind::kAdd) return operand;
  return negated(std::move(operand), sign.offset);
}

LengthExprPtr Parser::parse_length_sum(int lowest) {
  if (++nesting_ > kNestingMax) {
    fail_too_large(fmt::format("the query is nested deeper than {} levels", kNestingMax));
    return nullptr;
  }
  LengthExprPtr all = parse_length_rest(parse_signed_length(), lowest);
  --nesting_;
  return all;
}

LengthExprPtr Parser::parse_length_rest(LengthExprPtr left, int lowest) {
  while (left && !error_) {
    const auto* info = std::find_if(kOperators.begin(), kOperators.end(),
                                    [this](const auto& each) { return is_at(each.kind); });
    if (info == kOperators.end() || info->precedence < lowest) break;
    const Token sign = token_;
    advance();
    const bool is_power = info->op == Op::kPower;
    LengthExprPtr right =
        error_ ? nullptr : parse_length_sum(is_power ? kPowerPrecedence : info->precedence + 1);
    if (!right || !check_length_expressions(left->begin)) return nullptr;
    if (is_zero(*right) && (info->op == Op::kDivide || info->op == Op::kModulo)) {
      fail(sign.offset, info->op == Op::kDivide ? "division by zero" : "modulo by zero");
      return nullptr;
    }
    LengthExpr node;
    node.op = info->op;
    node.begin = left->begin;
    node.left = std::move(left);
    node.right = std::move(right);
    left = make_length(std::move(node));
  }
  return error_ ? nullptr : left;
}

LengthExprPtr Parser::parse_signed_length() {
  if (!is_at(TokenKind::kAdd) && !is_at(TokenKind::kSubtract)) return parse_length_primary();
  const Token sign = token_;
  advance();
  LengthExprPtr operand = error_ ? nullptr : parse_length_sum(kUnaryPrecedence + 1);
  if (!operand || sign.kind == TokenKind::kAdd) return operand;
  return negated(std::move(operand), sign.offset);
}

/// The sign of a number is the number's own, as in Prometheus, where `- -5m` needs no feature.
LengthExprPtr Parser::negated(LengthExprPtr operand, std::size_t begin) {
  LengthExpr node;
  if (operand->op == Op::kLiteral) {
    node = *operand;
    node.seconds = -node.seconds;
  } else {
    node.op = Op::kNegate;
    node.right = std::move(operand);
  }
  node.begin = begin;
  return make_length(std::move(node));
}

LengthExprPtr Parser::parse_length_primary() {
  if (error_) return nullptr;
  if (is_at(TokenKind::kLeftParen)) return parse_length_paren();
  if (const auto word = length_word()) {
    const bool is_extreme_of_two = *word == Op::kMin || *word == Op::kMax;
    return is_extreme_of_two ? parse_length_extreme(*word) : parse_length_word(*word);
  }
  return parse_length_literal();
}

LengthExprPtr Parser::parse_length_literal() {
  LengthExpr node;
  node.begin = token_.offset;
  if (is_at(TokenKind::kDuration)) {
    node.seconds = std::chrono::duration<double>(*parse_duration(token_.text)).count();
    node.is_duration = true;
  } else if (is_at(TokenKind::kNumber)) {
    node.seconds = *parse_number(token_.text, language_.dialect);
  } else {
    fail_unexpected(fmt::format("{}, expected a duration", length_place_));
    return nullptr;
  }
  if (!(std::abs(node.seconds) <= kSecondsMax)) {  // NaN, too
    fail(token_.offset, "duration out of range");
    return nullptr;
  }
  advance();
  return make_length(std::move(node));
}

LengthExprPtr Parser::parse_length_paren() {
  LengthExpr node;
  node.op = Op::kParen;
  node.begin = token_.offset;
  advance();
  LengthExprPtr inner = error_ ? nullptr : parse_length_sum(0);
  if (!inner || !check_length_expressions(inner->begin)) return nullptr;
  if (!expect(TokenKind::kRightParen, "\")\"", "a length")) return nullptr;
  // As in Prometheus, which forgets those around a number.
  if (inner->op == Op::kParen || inner->op == Op::kLiteral) return inner;
  node.right = std::move(inner);
  return make_length(std::move(node));
}

LengthExprPtr Parser::parse_length_word(Op op) {
  LengthExpr node;
  node.op = op;
  node.begin = token_.offset;
  advance();
  if (!expect(TokenKind::kLeftParen, "\"(\"", "a length") ||
      !expect(TokenKind::kRightParen, "\")\"", "a length")) {
    return nullptr;
  }
  if (language_.is_since(kWordsAskSince) && !check_length_expressions(node.begin)) return nullptr;
  return make_length(std::move(node));
}

LengthExprPtr Parser::parse_length_extreme(Op op) {
  LengthExpr node;
  node.op = op;
  node.begin = token_.offset;
  node.is_old_word = !language_.is_since(13);
  advance();
  if (!expect(TokenKind::kLeftParen, "\"(\"", "a length")) return nullptr;
  node.left = parse_length_sum(0);
  if (!node.left || !expect(TokenKind::kComma, "\",\"", "a length")) return nullptr;
  node.right = parse_length_sum(0);
  if (!node.right || !expect(TokenKind::kRightParen, "\")\"", "a length")) return nullptr;
  if (language_.is_since(kWordsAskSince) && !check_length_expressions(node.begin)) return nullptr;
  return make_length(std::move(node));
}

}  // namespace vigia::promql::internal
