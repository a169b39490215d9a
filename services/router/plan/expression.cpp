#include "services/router/plan/expression.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/model/resolution.hpp"
#include "libs/promql/absent.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::router::plan {
namespace {

// Thinned series will be told apart by this label (docs/decisions/0018-rollups.md). Whoever could
// name it would get series that no question of his is about.
bool asks_for_rollups(const promql::Expr& expr) {
  bool is_asked = false;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    for (const Matcher& matcher : selector.matchers) {
      is_asked = is_asked || matcher.name == kRollupLabel;
    }
  });
  return is_asked;
}

/// Over a limit of queries: 413, which is for bodies, would tell clients to send less at once.
Error as_bad_data(Error error) {
  if (error.code == ErrorCode::kTooLarge) error.code = ErrorCode::kInvalid;
  return error;
}

}  // namespace

Result<promql::ExprPtr> read_expression(const request::Parameters& parameters,
                                        const promql::Language& language) {
  auto text = parameters.single("query");
  if (!text) return forward(text);
  if (!*text) return fail(ErrorCode::kInvalid, "parameter \"query\" is missing");
  auto expr = read_text(**text, language);
  if (expr) return expr;
  return tl::unexpected<Error>(
      with_context("invalid parameter \"query\"", std::move(expr.error())));
}

Result<promql::ExprPtr> read_text(std::string_view text, const promql::Language& language) {
  auto expr = promql::parse(text, language);
  if (!expr) return tl::unexpected<Error>(as_bad_data(std::move(expr.error())));
  if (asks_for_rollups(**expr)) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the label {} is the router's own and cannot be asked for", kRollupLabel));
  }
  return expr;
}

Result<std::vector<promql::Selector>> read_selectors(const request::Parameters& parameters,
                                                     const promql::Language& language) {
  auto texts = parameters.selectors();
  if (!texts) return forward(texts);
  auto selectors = promql::parse_series_selectors(*texts, language);
  if (selectors) return selectors;
  return tl::unexpected<Error>(
      with_context("invalid parameter \"match[]\"", as_bad_data(std::move(selectors.error()))));
}

// Without one no store has a part in the answer: 1 + 1 is the same everywhere.
bool has_selector(const promql::Expr& expr) {
  bool is_there = false;
  promql::for_each_selector(expr, [&](const promql::Selector&) { is_there = true; });
  return is_there;
}

Result<std::string> text_for_stores(const access::Caller& caller, promql::Expr& expr,
                                    const promql::Language& language) {
  if (!caller.customer) return promql::print(expr);
  // absent() would show the fence's label in its answer.
  promql::hide_fence_in_absent(expr);
  auto text = promql::fenced_text(*caller.customer, expr, language);
  if (!text) return tl::unexpected<Error>(as_bad_data(std::move(text.error())));
  return text;
}

}  // namespace vigia::router::plan
