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

/// The rewritten tree as it may be sent; null where it may not.
std::shared_ptr<const Thinned> checked(const Question& question, promql::Expr expr,
                                       Resolution resolution) {
  const auto& customer = question.caller.customer;
  auto text = customer ? promql::fenced_text(*customer, expr, question.language)
                       : Result<std::string>(promql::print(expr));
  if (!text) return nullptr;
  // With several selectors for one it may be longer than a query may be.
  auto again = promql::parse(*text, question.language);
  if (!again || promql::print(**again) != *text || !is_sound(question, **again)) return nullptr;
  const promql::EvaluationShape shape{promql::Dialect::kPrometheus3, question.shape.steps,
                                      question.length};
  if (!check_room_of_fewest(**again, shape)) return nullptr;
  auto ranges = promql::selector_ranges(**again, question.times);
  return std::make_shared<const Thinned>(
      Thinned{resolution, false, std::move(*text), std::move(*again), std::move(ranges)});
}

std::shared_ptr<const Thinned> thinned_of(const Question& question, Resolution resolution) {
  const RolledTimes times{question.times, question.step};
  if (!are_whole_windows(times, resolution)) return nullptr;
  promql::Expr expr = promql::copy_of(*question.expr);
  if (!read_rolled(expr, times, question.language.dialect, resolution)) return nullptr;
  return checked(question, std::move(expr), resolution);
}

Resolution finest_left(const coverage::KeptFrom& kept, TimestampMs from_ms) {
  Resolution longest = Resolution::kFiveMinutes;
  for (const Resolution resolution :
       {Resolution::kFiveMinutes, Resolution::kHour, Resolution::kDay}) {
    if (!kept.has_expired(resolution, from_ms)) return resolution;
    if (kept[resolution] < kept[longest]) longest = resolution;
  }
  return longest;
}

}  // namespace

bool is_long_ago(const Question& question) {
  return question.touches && question.touches->from_ms < question.now_ms - kRawIsQuickMs;
}

std::shared_ptr<const Thinned> thinned_of(const Question& question) {
  if (!is_long_ago(question)) return nullptr;
  for (const Resolution resolution : kCoarsestFirst) {
    if (auto found = thinned_of(question, resolution)) return found;
  }
  return nullptr;
}

std::shared_ptr<const Thinned> nearly_of(const Question& question, const coverage::KeptFrom& kept) {
  if (!question.touches) return nullptr;
  const Resolution resolution = finest_left(kept, question.touches->from_ms);
  promql::Expr expr = promql::copy_of(*question.expr);
  const RolledTimes times{question.times, question.step};
  if (!read_nearly(expr, times, question.language.dialect, resolution)) return nullptr;
  const auto found = checked(question, std::move(expr), resolution);
  if (!found) return nullptr;
  Thinned near = *found;
  near.is_approximate = true;
  return std::make_shared<const Thinned>(std::move(near));
}

}  // namespace vigia::router::plan
