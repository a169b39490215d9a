// The recursive descent behind parse_logs(); see libs/logql/parser.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/internal/log_lexer.hpp"
#include "libs/promql/regex_budget.hpp"

namespace vigia::logql::internal {

/// Reads one expression. Every reading function gives null or false after `fail`, and the first
/// failure is the one that counts. Not thread-safe; one use.
class LogParser {
 public:
  /// `are_regexes_known`: the text was printed from a tree that was read before, so its regexes
  /// need no second check. `regexes` is that of the whole request.
  LogParser(std::string_view text, bool are_regexes_known, promql::RegexBudget& regexes);
  /// The whole text.
  Result<LogExprPtr> run();

 private:
  // log_parser.cpp: operators
  LogExprPtr parse_operators(int lowest);
  LogExprPtr parse_primary();
  LogExprPtr parse_paren();
  LogExprPtr parse_constant(bool is_negative);
  bool parse_matching(MetricPair& pair);
  bool check_pair(const MetricPair& pair, std::size_t offset);

  // parse_metrics.cpp: aggregations, calls
  LogExprPtr parse_call(const LogToken& name);
  LogExprPtr parse_vector(const LogToken& name);
  LogExprPtr parse_label_replace(const LogToken& name);
  LogExprPtr parse_vector_aggregation(const LogToken& name, VectorOperator op);
  LogExprPtr parse_range_aggregation(const LogToken& name, RangeOperator op);
  bool parse_range(RangeAggregation& aggregation);
  bool parse_length_and_offset(RangeAggregation& aggregation);
  bool parse_grouping(LabelGrouping& grouping);
  bool parse_label_list(std::vector<std::string>& labels);
  bool check_range(const RangeAggregation& aggregation, std::size_t offset);

  // parse_stages.cpp: selectors and what follows them
  LogExprPtr parse_logs();
  bool parse_selector(LogSelector& selector);
  bool parse_matcher(LogSelector& selector);
  bool parse_stages(LogSelector& selector);
  bool parse_line_filter(LogSelector& selector, LineTest test);
  bool parse_line_term(LineFilter& filter);
  bool parse_stage(LogSelector& selector);
  bool parse_extractions(std::vector<Extraction>& wanted);
  bool parse_logfmt(LogSelector& selector);
  bool parse_label_format(LogSelector& selector);
  bool parse_label_choices(std::vector<LabelChoice>& labels);
  bool parse_unwrap(LogSelector& selector);
  template <typename Made>
  bool parse_text_stage(LogSelector& selector, std::string Made::* text, std::string_view where);

  // parse_conditions.cpp: label filters
  bool parse_label_filter(LogSelector& selector);
  LabelConditionPtr parse_conditions();
  LabelConditionPtr parse_and_conditions();
  LabelConditionPtr parse_condition();
  LabelConditionPtr parse_comparison(std::string label);
  LabelConditionPtr parse_address(std::string label, bool is_negative);
  LabelConditionPtr joined(LabelConditionPtr left, LabelConditionPtr right, bool is_and);

  // plumbing
  void advance();
  bool is_at(LogTokenKind kind) const { return token_.kind == kind; }
  bool is_at_word(std::string_view word) const;
  bool expect(LogTokenKind kind, std::string_view what, std::string_view where);
  bool take_text(std::string& text, std::string_view where);
  bool take_label(std::string& label, std::string_view where);
  bool fail_unexpected(std::string_view where);
  bool fail(std::size_t offset, std::string message);
  bool fail_too_large(std::string message);
  /// Nothing after `fail`.
  std::optional<bool> regex_takes_empty(const std::string& regex, std::size_t offset);
  bool check_regex(const std::string& regex, std::size_t offset);
  /// Whether the matcher lets a stream without that label through; nothing after `fail`.
  std::optional<bool> takes_empty(const Matcher& matcher, std::size_t offset);
  template <typename Node>
  LogExprPtr make(Node node, LogValue value, std::size_t offset, std::size_t depth_below);
  bool count_node(std::size_t depth);
  bool count_word();

  std::string_view text_;
  bool are_regexes_known_;
  promql::RegexBudget& regexes_;
  LogLexer lexer_;
  LogToken token_;
  std::size_t nesting_ = 0;
  std::size_t nodes_ = 0;
  std::size_t words_ = 0;
  std::optional<Error> error_;
};

template <typename Node>
LogExprPtr LogParser::make(Node node, LogValue value, std::size_t offset, std::size_t depth_below) {
  if (!count_node(depth_below + 1)) return nullptr;
  auto expr = std::make_unique<LogExpr>();
  expr->node = std::move(node);
  expr->value = value;
  expr->offset = offset;
  expr->depth = depth_below + 1;
  return expr;
}

/// parse_logs() of a text that was printed from a tree.
Result<LogExprPtr> parse_printed_logs(std::string_view text);

}  // namespace vigia::logql::internal
