#include "services/router/plan/federation.hpp"

#include <string>
#include <utility>

#include "libs/promql/fence.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/plan/limits.hpp"

namespace vigia::router::plan {
namespace {

Result<void> add_match(Question& question, promql::Selector selector,
                       const promql::Language& language) {
  if (!question.caller.customer) {
    question.form.emplace_back("match[]", promql::print(selector));
    return {};
  }
  auto fenced = promql::fenced_text(*question.caller.customer, std::move(selector), language);
  if (!fenced) return forward(fenced);
  question.form.emplace_back("match[]", std::move(*fenced));
  return {};
}

}  // namespace

Result<Question> read_federation(access::Caller caller, const request::Parameters& parameters,
                                 const ReadingRules& rules) {
  auto selectors = read_selectors(parameters, rules.language);
  if (!selectors) return forward(selectors);
  if (selectors->empty()) return fail(ErrorCode::kInvalid, "no match[] parameter provided");
  Question question;
  question.caller = std::move(caller);
  question.path = "/federate";
  std::string all;
  for (promql::Selector& selector : *selectors) {
    all += (all.empty() ? "" : " or ") + promql::print(selector);
    auto added = add_match(question, std::move(selector), rules.language);
    if (!added) return forward(added);
  }
  auto expr = read_text(all, rules.language);
  if (!expr)
    return tl::unexpected<Error>(
        with_context("invalid parameter \"match[]\"", std::move(expr.error())));
  question.ranges = promql::selector_ranges(**expr, {rules.now_ms, rules.now_ms});
  question.touches = question.ranges.front();  // all are the same
  const auto in_range =
      question.caller.limits.check_range(question.touches->from_ms, question.touches->to_ms);
  if (!in_range) return forward(in_range);
  auto text = text_for_stores(question.caller, **expr, rules.language);
  if (!text) return forward(text);
  question.shape.text = std::move(*text);
  question.shape.touches = *question.touches;
  question.expr = std::move(*expr);
  question.timeout = question.caller.limits.at_most(rules.timeout_max) + kAnswerSlack;
  return question;
}

}  // namespace vigia::router::plan
