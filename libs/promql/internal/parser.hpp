// The recursive descent behind parse(); see libs/promql/parser.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"
#include "libs/promql/internal/lexer.hpp"
#include "libs/promql/regex_budget.hpp"

namespace vigia::promql::internal {

inline constexpr const char* kRegexesTooLarge =
    "the regexes of the query are too many or too large: use lists of words, or fewer";

/// Reads one expression. Every reading function gives null or false after `fail`, and the first
/// failure is the one that counts. Not thread-safe; one use.
class Parser {
 public:
  /// `are_regexes_known`: the text was printed from a tree that was read before, so its matchers
  /// need no second check. `regexes` is that of the whole request.
  Parser(std::string_view text, Dialect dialect, bool are_regexes_known, RegexBudget& regexes);
  /// The whole text.
  Result<ExprPtr> run();

 private:
  // parser.cpp: operators, literals, calls, aggregations
  ExprPtr parse_operators(int lowest);
  ExprPtr parse_unary();
  ExprPtr parse_literal(const Token& token);
  ExprPtr parse_primary();
  ExprPtr parse_paren();
  ExprPtr parse_call(const Token& name);
  bool parse_arguments(std::vector<ExprPtr>& arguments);
  ExprPtr parse_aggregation(const Token& name);
  bool parse_grouping(Aggregation& aggregation);
  bool parse_matching(Binary& binary);
  bool parse_label_list(std::vector<std::string>& labels);
  bool parse_label(std::vector<std::string>& labels);

  // parse_selector.cpp: selectors, ranges, offset, @
  ExprPtr parse_selector(const Token* name);
  bool parse_matchers(Selector& selector);
  bool parse_matcher(Selector& selector);
  /// Whether the matcher lets a series without that label through; nothing after `fail`.
  std::optional<bool> matches_empty(const Matcher& matcher, std::size_t offset);
  /// Whether the regex matches an empty text; nothing after `fail`.
  std::optional<bool> takes_empty_text(std::string_view regex, std::size_t offset,
                                       std::string_view where);
  bool check_selector(const Selector& selector, std::size_t offset);
  ExprPtr parse_postfix(ExprPtr expr);
  ExprPtr parse_brackets(ExprPtr expr);
  ExprPtr make_range(ExprPtr expr, Duration range);
  ExprPtr make_subquery(ExprPtr expr, Duration range, std::optional<Duration> step);
  bool parse_offset(Expr& expr);
  bool parse_at(Expr& expr);
  bool parse_at_time(TimeShift& shift);
  std::optional<Duration> parse_length(std::string_view what);

  // types.cpp: what may stand where
  bool check_binary(const Binary& binary, std::size_t offset);
  bool check_set_operator(const Binary& binary, std::size_t offset);
  bool check_call(const Call& call, std::size_t offset);
  bool check_aggregation(const Aggregation& aggregation, std::size_t offset);
  bool expect_type(const Expr& expr, ValueType type, std::string_view where);

  // plumbing
  void advance();
  bool is_at(TokenKind kind) const { return token_.kind == kind; }
  bool expect(TokenKind kind, std::string_view what, std::string_view where);
  bool fail_unexpected(std::string_view where);
  bool fail(std::size_t offset, std::string message);
  bool fail_too_large(std::string message);
  /// Makes a node and counts it; null over a limit.
  template <typename Node>
  ExprPtr make(Node node, ValueType type, std::size_t offset, std::size_t depth_below);
  bool count_node(std::size_t depth);
  bool count_matcher();

  std::string_view text_;
  Dialect dialect_;
  bool are_regexes_known_;
  RegexBudget& regexes_;
  Lexer lexer_;
  Token token_;
  std::size_t nesting_ = 0;
  std::size_t nodes_ = 0;
  std::size_t matchers_ = 0;
  std::optional<Error> error_;
};

template <typename Node>
ExprPtr Parser::make(Node node, ValueType type, std::size_t offset, std::size_t depth_below) {
  if (!count_node(depth_below + 1)) return nullptr;
  auto expr = std::make_unique<Expr>();
  expr->node = std::move(node);
  expr->type = type;
  expr->offset = offset;
  expr->depth = depth_below + 1;
  return expr;
}

/// parse() of a text that was printed from a tree.
Result<ExprPtr> parse_printed(std::string_view text, Dialect dialect);

}  // namespace vigia::promql::internal
