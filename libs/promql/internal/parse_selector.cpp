#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/model/labels.hpp"
#include "libs/promql/internal/go_regex.hpp"
#include "libs/promql/internal/parser.hpp"
#include "libs/promql/text.hpp"

namespace vigia::promql::internal {
namespace {

/// What @ has to be less than, in seconds either side of 1970: Go's float64(math.MaxInt64).
constexpr double kTimestampSecondsEnd = 9'223'372'036'854'775'808.0;
constexpr double kLengthSecondsMax = 9'223'372'036;

std::optional<MatchType> match_type(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAssign:
      return MatchType::kEqual;
    case TokenKind::kNotEqual:
      return MatchType::kNotEqual;
    case TokenKind::kRegexMatch:
      return MatchType::kRegex;
    case TokenKind::kRegexNotMatch:
      return MatchType::kNotRegex;
    default:
      return std::nullopt;
  }
}

/// The nearest that there is. Of milliseconds beyond 64 bits Prometheus makes a time without
/// samples, too.
std::int64_t milliseconds_of(double seconds) {
  constexpr double kFar = 9.223372036854775e18;
  constexpr std::int64_t kFurthest = std::numeric_limits<std::int64_t>::max();
  const double ms = seconds * 1'000.0;
  if (std::abs(ms) >= kFar) return ms > 0 ? kFurthest : -kFurthest;
  return std::llround(ms);
}

/// The shift of a selector or subquery; null for what can have none.
TimeShift* shift_of(Expr& expr) {
  if (auto* selector = std::get_if<Selector>(&expr.node)) return &selector->shift;
  if (auto* subquery = std::get_if<Subquery>(&expr.node)) return &subquery->shift;
  return nullptr;
}

}  // namespace

ExprPtr Parser::parse_selector(const Token* name) {
  const std::size_t offset = name != nullptr ? name->offset : token_.offset;
  Selector selector;
  if (name != nullptr) selector.name = name->text;
  if (is_at(TokenKind::kLeftBrace) && !parse_matchers(selector)) return nullptr;
  if (error_ || !check_selector(selector, offset)) return nullptr;
  return make(std::move(selector), ValueType::kVector, offset, 0);
}

bool Parser::parse_matchers(Selector& selector) {
  advance();
  while (!is_at(TokenKind::kRightBrace)) {
    if (!parse_matcher(selector)) return false;
    if (is_at(TokenKind::kComma)) {
      advance();
    } else if (!is_at(TokenKind::kRightBrace)) {
      return fail_unexpected("label matching, expected \",\" or \"}\"");
    }
  }
  advance();
  return !error_;
}

bool Parser::parse_matcher(Selector& selector) {
  const Token name = token_;
  const bool is_quoted = is_at(TokenKind::kString) && language_.is_new();
  if (!is_at(TokenKind::kIdentifier) && !is_quoted) {
    return fail_unexpected("label matching, expected a label");
  }
  std::string label(name.text);
  if (is_quoted) {
    auto value = unquote(name.text);
    if (!value || value->empty() || !is_utf8(*value)) return fail(name.offset, "bad quoted name");
    label = std::move(*value);
  }
  advance();
  // A quoted name without an operator is the metric's, 3.x's way to write names beyond letters.
  if (is_quoted && (is_at(TokenKind::kComma) || is_at(TokenKind::kRightBrace))) {
    if (!selector.name.empty()) {
      return fail(name.offset, "metric name must not be set twice");
    }
    selector.name = std::move(label);
    selector.name_in_braces = true;
    return count_matcher();
  }
  const auto type = match_type(token_.kind);
  if (!type) return fail_unexpected("label matching, expected =, !=, =~ or !~");
  advance();
  if (!is_at(TokenKind::kString)) return fail_unexpected("label matching, expected a string");
  auto value = unquote(token_.text);
  if (!value) return fail(token_.offset, "bad escape in a string");
  selector.matchers.push_back(Matcher{*type, std::move(label), std::move(*value)});
  advance();
  return !error_ && count_matcher();
}

std::optional<bool> Parser::matches_empty(const Matcher& matcher, std::size_t offset) {
  const bool is_regex = matcher.type == MatchType::kRegex || matcher.type == MatchType::kNotRegex;
  if (!is_regex) return matcher.value.empty() == (matcher.type == MatchType::kEqual);
  const auto takes_empty = takes_empty_text(matcher.value, offset, "label matching");
  if (!takes_empty) return std::nullopt;
  return *takes_empty == (matcher.type == MatchType::kRegex);
}

std::optional<bool> Parser::takes_empty_text(std::string_view regex, std::size_t offset,
                                             std::string_view where) {
  const auto kind = is_refused_by_go(regex, language_.dialect) ? RegexBudget::RegexKind::kUnreadable
                                                               : regexes_.look_at(regex);
  switch (kind) {
    case RegexBudget::RegexKind::kTakesEmpty:
      return true;
    case RegexBudget::RegexKind::kNeedsText:
      return false;
    case RegexBudget::RegexKind::kUnreadable:
      fail(offset, fmt::format("a regex that cannot be read in {}", where));
      return std::nullopt;
    case RegexBudget::RegexKind::kTooLarge:
      break;
  }
  fail_too_large(kRegexesTooLarge);
  return std::nullopt;
}

/// Prometheus' own rule: without a matcher that needs some text the selector means every series of
/// the store. The fence's matcher does not count, as the customer did not write it.
bool Parser::check_selector(const Selector& selector, std::size_t offset) {
  bool is_selective = !selector.name.empty() || are_regexes_known_ || labels_alone_at_ == offset;
  for (const Matcher& matcher : selector.matchers) {
    if (matcher.name == kNameLabel && !selector.name.empty()) {
      return fail(offset, fmt::format("metric name must not be set twice: \"{}\" or \"{}\"",
                                      selector.name, matcher.value));
    }
    if (are_regexes_known_) continue;
    const auto is_empty = matches_empty(matcher, offset);
    if (!is_empty) return false;
    is_selective = is_selective || !*is_empty;
  }
  return is_selective ||
         fail(offset, "vector selector must contain at least one non-empty matcher");
}

/// A loop, since postfixes pile up (`x[5m:1m] offset 1h @ end()`) and recursion would have to be
/// bounded once more.
ExprPtr Parser::parse_postfix(ExprPtr expr) {
  while (expr && !error_) {
    if (is_at(TokenKind::kLeftBracket)) {
      expr = parse_brackets(std::move(expr));
    } else if (is_at(TokenKind::kOffset)) {
      if (!parse_offset(*expr)) return nullptr;
    } else if (is_at(TokenKind::kAt)) {
      if (!parse_at(*expr)) return nullptr;
    } else if (is_at(TokenKind::kAnchored) || is_at(TokenKind::kSmoothed)) {
      if (!parse_extension(*expr)) return nullptr;
    } else {
      break;
    }
  }
  return error_ ? nullptr : std::move(expr);
}

std::optional<Duration> Parser::parse_length(std::string_view what) {
  const Token token = token_;
  std::optional<Duration> length;
  if (token.kind == TokenKind::kDuration) {
    length = parse_duration(token.text);
  } else if (token.kind == TokenKind::kNumber && language_.is_new()) {
    const auto seconds = parse_number(token.text, language_.dialect);
    if (seconds && *seconds <= kLengthSecondsMax) {  // false for NaN and Inf
      length = Duration{std::llround(*seconds * 1e9)};
    }
  }
  if (!length) {
    fail_unexpected(fmt::format("{}, expected a duration", what));
    return std::nullopt;
  }
  advance();
  return length;
}

ExprPtr Parser::parse_brackets(ExprPtr expr) {
  advance();
  auto range = parse_positive_length("a range");
  if (!range) return nullptr;
  if (!is_at(TokenKind::kColon)) {
    if (!expect(TokenKind::kRightBracket, "\":\" or \"]\"", "a range")) return nullptr;
    return make_range(std::move(expr), std::move(*range));
  }
  advance();
  std::optional<Length> step;
  if (!is_at(TokenKind::kRightBracket)) {
    step = parse_positive_length("the step of a subquery");
    if (!step) return nullptr;
  }
  if (!expect(TokenKind::kRightBracket, "\"]\"", "a subquery")) return nullptr;
  return make_subquery(std::move(expr), std::move(*range), std::move(step));
}

ExprPtr Parser::make_range(ExprPtr expr, Length range) {
  auto* selector = std::get_if<Selector>(&expr->node);
  if (selector == nullptr || selector->range) {
    fail(expr->offset, "ranges only allowed for vector selectors");
    return nullptr;
  }
  // Prometheus reads `x offset 5m [1h]` as an error; to take it here would print another order of
  // the same words, and mean something else. 3.x keeps no note of "offset 0s".
  const TimeShift& shift = selector->shift;
  if (shift.offset.count() != 0 || shift.offset_expr || shift.at != TimeShift::At::kNone) {
    fail(expr->offset, "no offset or @ modifiers allowed before range");
    return nullptr;
  }
  // The selector itself becomes the matrix: a range is no node of its own in Prometheus either.
  selector->range = range.value;
  selector->range_expr = std::move(range.expr);
  expr->type = ValueType::kMatrix;
  return expr;
}

ExprPtr Parser::make_subquery(ExprPtr expr, Length range, std::optional<Length> step) {
  if (expr->type != ValueType::kVector) {
    fail(expr->offset,
         fmt::format("subquery is only allowed on instant vector, got {}", to_string(expr->type)));
    return nullptr;
  }
  const std::size_t offset = expr->offset;
  const std::size_t depth = expr->depth;
  Subquery subquery;
  subquery.expr = std::move(expr);
  subquery.range = range.value;
  subquery.range_expr = std::move(range.expr);
  if (step) {
    subquery.step = step->value;
    subquery.step_expr = std::move(step->expr);
  }
  return make(std::move(subquery), ValueType::kMatrix, offset, depth);
}

bool Parser::parse_extension(Expr& expr) {
  const bool is_anchored = is_at(TokenKind::kAnchored);
  const std::string_view word = is_anchored ? "anchored" : "smoothed";
  advance();
  if (!language_.features.extended_ranges) {
    return fail(expr.offset, fmt::format("{} modifier is experimental and not enabled", word));
  }
  if (std::holds_alternative<Subquery>(expr.node)) {
    return fail(expr.offset, fmt::format("{} modifier is not supported for subqueries", word));
  }
  auto* selector = std::get_if<Selector>(&expr.node);
  if (selector == nullptr) {
    return fail(expr.offset, fmt::format("{} modifier not implemented", word));
  }
  const auto wanted = is_anchored ? Selector::Extension::kAnchored : Selector::Extension::kSmoothed;
  if (selector->extension != Selector::Extension::kNone && selector->extension != wanted) {
    return fail(expr.offset, "anchored and smoothed modifiers cannot be used together");
  }
  selector->extension = wanted;
  return !error_;
}

bool Parser::parse_offset(Expr& expr) {
  const std::size_t offset = token_.offset;
  advance();
  const auto length = parse_offset_length();
  return length && set_offset(expr, offset, *length);
}

bool Parser::set_offset(Expr& expr, std::size_t offset, const Length& length) {
  TimeShift* shift = shift_of(expr);
  if (shift == nullptr) {
    return fail(offset,
                "offset modifier must be preceded by an instant vector selector or range vector "
                "selector or a subquery");
  }
  if (length.value.count() == 0 && !language_.is_new()) {
    return fail(offset, "duration must be greater than 0");
  }
  // 3.x keeps no note of "offset 0s", so that another offset may follow.
  if (shift->offset.count() != 0 || shift->offset_expr) {
    return fail(offset, "offset may not be set multiple times");
  }
  shift->offset = length.value;
  shift->offset_expr = length.expr;
  shift->has_offset = true;
  return true;
}

bool Parser::parse_at(Expr& expr) {
  const std::size_t offset = token_.offset;
  advance();
  TimeShift read;
  if (!parse_at_time(read)) return false;
  TimeShift* shift = shift_of(expr);
  if (shift == nullptr) {
    return fail(offset,
                "@ modifier must be preceded by an instant vector selector or range vector "
                "selector or a subquery");
  }
  if (shift->at != TimeShift::At::kNone) {
    return fail(offset, "@ <timestamp> may not be set multiple times");
  }
  shift->at = read.at;
  shift->timestamp_ms = read.timestamp_ms;
  return true;
}

bool Parser::parse_at_time(TimeShift& shift) {
  if (is_at(TokenKind::kStart) || is_at(TokenKind::kFinish)) {
    shift.at = is_at(TokenKind::kStart) ? TimeShift::At::kStart : TimeShift::At::kEnd;
    advance();
    return expect(TokenKind::kLeftParen, "\"(\"", "@") &&
           expect(TokenKind::kRightParen, "\")\"", "@");
  }
  const bool is_negative = is_at(TokenKind::kSubtract);
  if (is_negative || is_at(TokenKind::kAdd)) advance();
  double seconds = 0;
  if (is_at(TokenKind::kDuration) && language_.is_new()) {
    seconds = std::chrono::duration<double>(*parse_duration(token_.text)).count();
  } else if (is_at(TokenKind::kNumber)) {
    seconds = *parse_number(token_.text, language_.dialect);
  } else {
    return fail_unexpected("@, expected a timestamp");
  }
  // Written so that NaN is out of bounds too.
  if (!(seconds < kTimestampSecondsEnd)) {
    return fail(token_.offset, "timestamp out of bounds for @ modifier");
  }
  shift.at = TimeShift::At::kTimestamp;
  shift.timestamp_ms = milliseconds_of(is_negative ? -seconds : seconds);
  advance();
  return !error_;
}

}  // namespace vigia::promql::internal
