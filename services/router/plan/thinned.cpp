#include "services/router/plan/thinned.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "libs/promql/copy.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"
#include "services/router/plan/limits.hpp"
#include "services/router/plan/rolled_tree.hpp"
#include "services/router/plan/room.hpp"

namespace vigia::router::plan {
namespace {

constexpr std::array kCoarsestFirst{Resolution::kDay, Resolution::kHour, Resolution::kFiveMinutes};

std::size_t rollup_matchers(const promql::Selector& selector) {
  return static_cast<std::size_t>(
      std::count_if(selector.matchers.begin(), selector.matchers.end(),
                    [](const Matcher& matcher) { return matcher.name == kRollupLabel; }));
}

/// As a store reads the text: inside the caller's data, and nothing of it raw.
bool is_sound(const Question& question, const promql::Expr& expr) {
  bool is_all_rolled = true;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    is_all_rolled = is_all_rolled && rollup_matchers(selector) == 1;
  });
  const auto& customer = question.caller.customer;
  return is_all_rolled && (!customer || promql::is_fenced(*customer, expr));
}

std::shared_ptr<const Thinned> thinned_of(const Question& question, Resolution resolution) {
  const RolledTimes times{question.times, question.step};
  if (!are_whole_windows(times, resolution)) return nullptr;
  promql::Expr expr = promql::copy_of(*question.expr);
  if (!read_rolled(expr, times, question.dialect, resolution)) return nullptr;
  const auto& customer = question.caller.customer;
  auto text = customer ? promql::fenced_text(*customer, expr, question.dialect)
                       : Result<std::string>(promql::print(expr));
  if (!text) return nullptr;
  // With several selectors for one it may be longer than a query may be.
  auto again = promql::parse(*text, question.dialect);
  if (!again || promql::print(**again) != *text || !is_sound(question, **again)) return nullptr;
  const promql::EvaluationShape shape{promql::Dialect::kPrometheus3, question.shape.steps,
                                      question.length};
  if (!check_room_of_fewest(**again, shape)) return nullptr;
  auto ranges = promql::selector_ranges(**again, question.times);
  return std::make_shared<const Thinned>(
      Thinned{resolution, std::move(*text), std::move(*again), std::move(ranges)});
}

}  // namespace

std::shared_ptr<const Thinned> thinned_of(const Question& question) {
  const bool is_long_ago =
      question.touches && question.touches->from_ms < question.now_ms - kRawIsQuickMs;
  if (!is_long_ago) return nullptr;
  for (const Resolution resolution : kCoarsestFirst) {
    if (auto found = thinned_of(question, resolution)) return found;
  }
  return nullptr;
}

}  // namespace vigia::router::plan
