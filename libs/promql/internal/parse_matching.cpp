// What stands between an operator and its right side, and lists of labels.
#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/promql/internal/parser.hpp"
#include "libs/promql/text.hpp"

namespace vigia::promql::internal {

bool Parser::parse_matching(Binary& binary) {
  const std::size_t offset = token_.offset;
  if (is_at(TokenKind::kBool)) {
    binary.returns_bool = true;
    advance();
  }
  VectorMatching& matching = binary.matching;
  if (is_at(TokenKind::kOn) || is_at(TokenKind::kIgnoring)) {
    matching.scope = is_at(TokenKind::kOn) ? VectorMatching::WhichLabels::kOn
                                           : VectorMatching::WhichLabels::kIgnoring;
    advance();
    if (!parse_label_list(matching.labels) || !parse_group(matching)) return false;
  }
  return parse_fills(matching, offset);
}

bool Parser::parse_group(VectorMatching& matching) {
  if (!is_at(TokenKind::kGroupLeft) && !is_at(TokenKind::kGroupRight)) return !error_;
  matching.group =
      is_at(TokenKind::kGroupLeft) ? VectorMatching::Group::kLeft : VectorMatching::Group::kRight;
  advance();
  return is_at(TokenKind::kLeftParen) ? parse_label_list(matching.include) : !error_;
}

/// fill (…) alone, or fill_left (…) and fill_right (…) in any order, each once.
bool Parser::parse_fills(VectorMatching& matching, std::size_t offset) {
  if (is_at(TokenKind::kFill)) {
    matching.fill_left = matching.fill_right = parse_fill_value();
    if (!matching.fill_left) return false;
  }
  while (!matching.fill_left || !matching.fill_right) {
    const bool is_left = is_at(TokenKind::kFillLeft);
    if (!is_left && !is_at(TokenKind::kFillRight)) break;
    std::optional<double>& side = is_left ? matching.fill_left : matching.fill_right;
    if (side) break;  // twice: no expression begins with it
    side = parse_fill_value();
    if (!side) return false;
  }
  if (!matching.is_filled() || language_.features.fill_modifiers) return !error_;
  return fail(offset, "binop fill modifiers are experimental and not enabled");
}

std::optional<double> Parser::parse_fill_value() {
  advance();
  if (!expect(TokenKind::kLeftParen, "\"(\"", "a fill modifier")) return std::nullopt;
  const bool is_negative = is_at(TokenKind::kSubtract);
  if (is_negative || is_at(TokenKind::kAdd)) advance();
  double value = 0;
  if (is_at(TokenKind::kNumber)) {
    value = *parse_number(token_.text, language_.dialect);
  } else if (is_at(TokenKind::kDuration)) {
    value = std::chrono::duration<double>(*parse_duration(token_.text)).count();
  } else {
    fail_unexpected("a fill modifier, expected a number");
    return std::nullopt;
  }
  advance();
  if (!expect(TokenKind::kRightParen, "\")\"", "a fill modifier")) return std::nullopt;
  return is_negative ? -value : value;
}

bool Parser::parse_label_list(std::vector<std::string>& labels) {
  if (!expect(TokenKind::kLeftParen, "\"(\"", "a list of labels")) return false;
  while (!is_at(TokenKind::kRightParen)) {
    if (!parse_label(labels)) return false;
    if (is_at(TokenKind::kComma)) {
      advance();
    } else if (!is_at(TokenKind::kRightParen)) {
      return fail_unexpected("a list of labels, expected \",\" or \")\"");
    }
  }
  advance();
  return !error_;
}

bool Parser::parse_label(std::vector<std::string>& labels) {
  std::string name(token_.text);
  if (is_at(TokenKind::kString) && language_.is_new()) {
    auto value = unquote(token_.text);
    if (!value || value->empty() || !is_utf8(*value)) {
      return fail(token_.offset, "bad label name in a list of labels");
    }
    name = std::move(*value);
  } else {
    // Inf and NaN are numbers to Prometheus' lexer as well, though their letters would make a
    // label.
    const bool has_colon = is_at(TokenKind::kMetricIdentifier) && language_.is_new();
    if (is_at(TokenKind::kNumber) || (!is_label_name(name) && !has_colon)) {
      return fail_unexpected("a list of labels, expected a label");
    }
  }
  labels.push_back(std::move(name));
  advance();
  return !error_ && count_matcher();
}

}  // namespace vigia::promql::internal
