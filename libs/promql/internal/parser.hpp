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
  /// `are_regexes_known`: the text was printed from a tree that was read before and is to be sent,
  /// so its matchers need no second check, and no length in it may be one that is still computed.
  /// `regexes` is that of the whole request.
  Parser(std::string_view text, const Language& language, bool are_regexes_known,
         RegexBudget& regexes);
  /// The whole text.
  Result<ExprPtr> run();

 private:
  // parser.cpp: operators, literals, calls, aggregations
  ExprPtr parse_operators(int lowest);
  ExprPtr parse_unary();
  ExprPtr parse_literal(const Token& token);
  ExprPtr parse_primary();
  /// Whether the word, before a parenthesis, is the name of a function.
  bool is_function_word(TokenKind kind) const;
  bool check_known(const Function* function, const Token& name);
  ExprPtr parse_paren();
  ExprPtr parse_call(const Token& name);
  bool parse_arguments(std::vector<ExprPtr>& arguments, bool is_of_info);
  ExprPtr parse_aggregation(const Token& name);
  bool parse_grouping(Aggregation& aggregation);

  // parse_matching.cpp
  bool parse_matching(Binary& binary);
  bool parse_group(VectorMatching& matching);
  bool parse_fills(VectorMatching& matching, std::size_t offset);
  std::optional<double> parse_fill_value();
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
  /// A length, or how one is computed.
  struct Length {
    Duration value{0};
    LengthExprPtr expr;
  };
  ExprPtr make_range(ExprPtr expr, Length range);
  ExprPtr make_subquery(ExprPtr expr, Length range, std::optional<Length> step);
  bool parse_extension(Expr& expr);
  bool parse_offset(Expr& expr);
  bool set_offset(Expr& expr, std::size_t offset, const Length& length);
  bool parse_at(Expr& expr);
  bool parse_at_time(TimeShift& shift);
  std::optional<Duration> parse_length(std::string_view what);

  // parse_length.cpp: lengths that are computed, since 3.4
  std::optional<Length> parse_positive_length(std::string_view what);
  std::optional<Length> parse_offset_length();
  LengthExprPtr parse_offset_expr();
  LengthExprPtr parse_length_sum(int lowest);
  LengthExprPtr parse_length_rest(LengthExprPtr left, int lowest);
  LengthExprPtr parse_signed_length();
  LengthExprPtr parse_length_primary();
  LengthExprPtr parse_length_paren();
  LengthExprPtr parse_length_word(LengthExpr::Op op);
  LengthExprPtr parse_length_extreme(LengthExpr::Op op);
  LengthExprPtr parse_length_literal();
  std::optional<LengthExpr::Op> length_word() const;
  /// Of min( and max( outside of brackets, as they were written until 3.13.
  bool is_extreme() const;
  LengthExprPtr negated(LengthExprPtr operand, std::size_t begin);
  LengthExprPtr make_length(LengthExpr node);
  /// Fails where such lengths are not switched on.
  bool check_length_expressions(std::size_t offset);
  std::optional<Length> length_of(const LengthExprPtr& expr);

  // types.cpp: what may stand where
  bool check_binary(const Binary& binary, std::size_t offset);
  bool check_set_operator(const Binary& binary, std::size_t offset);
  bool check_call(const Call& call, std::size_t offset);
  bool check_info(const Call& call);
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
  const Language language_;
  bool are_regexes_known_;
  RegexBudget& regexes_;
  Lexer lexer_;
  Token token_;
  std::size_t nesting_ = 0;
  std::size_t last_end_ = 0;  ///< of the token before the one that is looked at
  std::size_t nodes_ = 0;
  std::string_view length_place_;               ///< what is read where a length is
  std::optional<std::size_t> labels_alone_at_;  ///< where a selector need not choose any series
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
Result<ExprPtr> parse_printed(std::string_view text, const Language& language);

}  // namespace vigia::promql::internal
