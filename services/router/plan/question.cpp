#include "services/router/plan/question.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/copy.hpp"
#include "libs/promql/cost.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/labels_made.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/visit.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/plan/limits.hpp"
#include "services/router/plan/room.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::plan {
namespace {

std::int64_t milliseconds(Duration duration) { return duration.count() / 1'000'000; }

/// Without signs: the two may lie further apart than a signed number reaches.
std::uint64_t distance_ms(TimestampMs from_ms, TimestampMs to_ms) {
  return static_cast<std::uint64_t>(to_ms) - static_cast<std::uint64_t>(from_ms);
}

Duration length_of(const promql::Evaluation& times) {
  constexpr std::uint64_t kMillisecondsMax =
      static_cast<std::uint64_t>(Duration::max() / std::chrono::milliseconds(1));
  const std::uint64_t length_ms =
      std::min(distance_ms(times.start_ms, times.end_ms), kMillisecondsMax);
  return std::chrono::milliseconds(static_cast<std::int64_t>(length_ms));
}

/// Refuses what would hold a store that all customers share.
Result<void> check_cost(const promql::Expr& expr, const promql::EvaluationShape& shape) {
  if (promql::label_bytes_made(expr) > promql::kLabelBytesMadeMax) {
    return fail(ErrorCode::kInvalid,
                fmt::format("label_join and label_replace could make labels of more than {} bytes",
                            promql::kLabelBytesMadeMax));
  }
  if (promql::subquery_evaluations(expr, shape.length) <= promql::kSubqueryEvaluationsMax) {
    return check_room_of_fewest(expr, shape);
  }
  return fail(
      ErrorCode::kInvalid,
      fmt::format("the subqueries would be evaluated more than {} times: give them a shorter "
                  "range or a longer step",
                  promql::kSubqueryEvaluationsMax));
}

promql::TimeRange touched(const std::vector<promql::TimeRange>& ranges) {
  promql::TimeRange all = ranges.front();
  for (const promql::TimeRange& range : ranges) {
    all.from_ms = std::min(all.from_ms, range.from_ms);
    all.to_ms = std::max(all.to_ms, range.to_ms);
  }
  return all;
}

Result<void> add_options(const request::Parameters& parameters, Duration timeout_max,
                         Question& question) {
  auto timeout = parameters.length_or_zero("timeout");
  if (!timeout) return forward(timeout);
  const Duration most = question.caller.limits.at_most(timeout_max);
  const Duration chosen = std::min(timeout->value_or(most), most);
  // 0 goes on as 0: the store has words of its own for it.
  const std::int64_t least = chosen > Duration::zero() ? 1 : 0;
  question.form.emplace_back("timeout", fmt::format("{}ms", std::max(milliseconds(chosen), least)));
  question.timeout = chosen + kAnswerSlack;
  auto limit = parameters.single("limit");
  if (!limit) return forward(limit);
  if (*limit) question.form.emplace_back("limit", **limit);
  auto stats = parameters.single("stats");
  if (!stats) return forward(stats);
  question.is_own_stats = !*stats || (*stats)->empty();
  question.form.emplace_back("stats", question.is_own_stats ? "1" : **stats);
  return {};
}

/// What both kinds of query have: from the lookback to the fence. `question` has its times.
Result<Question> read_rest(Question question, const request::Parameters& parameters,
                           promql::Evaluation times, const ReadingRules& rules) {
  auto lookback = parameters.length_or_zero("lookback_delta");
  if (!lookback) return forward(lookback);
  if (*lookback && **lookback > Duration::zero()) {  // 0 is the usual one
    times.lookback = **lookback;
    question.form.emplace_back(
        "lookback_delta", fmt::format("{}ms", std::max<std::int64_t>(milliseconds(**lookback), 1)));
  }
  auto expr = read_expression(parameters, rules.language);
  if (!expr) return forward(expr);
  auto folded = promql::fold_query_times(**expr, times, question.step);
  if (!folded) {
    return tl::unexpected<Error>(
        with_context("invalid parameter \"query\"", std::move(folded.error())));
  }
  promql::write_info_selectors(**expr);
  question.language = rules.language;
  question.times = times;
  question.now_ms = rules.now_ms;
  question.length = length_of(times);
  // As 3.x counts, which all hold: 2.x would need more, and goes to prometheus-query then.
  auto affordable =
      check_cost(**expr, {promql::Dialect::kPrometheus3, question.shape.steps, question.length});
  if (!affordable) return forward(affordable);
  question.ranges = promql::selector_ranges(**expr, times);
  auto text = text_for_stores(question.caller, **expr, rules.language);
  if (!text) return forward(text);
  if (!question.ranges.empty()) {
    question.touches = touched(question.ranges);
    const auto in_range =
        question.caller.limits.check_range(question.touches->from_ms, question.touches->to_ms);
    if (!in_range) return forward(in_range);
    question.shape.text = *text;
    question.shape.touches = *question.touches;
  }
  question.form.emplace_back("query", std::move(*text));
  question.expr = std::move(*expr);
  auto options = add_options(parameters, rules.timeout_max, question);
  if (!options) return forward(options);
  return question;
}

}  // namespace

Result<Question> read_instant(access::Caller caller, const request::Parameters& parameters,
                              const ReadingRules& rules) {
  Question question;
  question.caller = std::move(caller);
  question.path = "/api/v1/query";
  auto time = parameters.time("time");
  if (!time) return forward(time);
  // Always sent, so that what is evaluated is what was weighed against the coverage.
  const TimestampMs at = time->value_or(rules.now_ms);
  question.form.emplace_back("time", request::format_seconds(at));
  return read_rest(std::move(question), parameters, promql::Evaluation{at, at}, rules);
}

Result<Question> read_range(access::Caller caller, const request::Parameters& parameters,
                            const ReadingRules& rules) {
  Question question;
  question.caller = std::move(caller);
  question.path = "/api/v1/query_range";
  auto start = parameters.time("start");
  auto end = parameters.time("end");
  auto step = parameters.length("step");
  if (!start) return forward(start);
  if (!end) return forward(end);
  if (!step) return forward(step);
  if (!*start || !*end || !*step) {
    return fail(ErrorCode::kInvalid, "parameters \"start\", \"end\" and \"step\" are all needed");
  }
  if (**end < **start) {
    return fail(ErrorCode::kInvalid,
                "invalid parameter \"end\": end timestamp must not be before start time");
  }
  const std::int64_t step_ms = std::max<std::int64_t>(milliseconds(**step), 1);
  const std::uint64_t points = distance_ms(**start, **end) / static_cast<std::uint64_t>(step_ms);
  if (points > kPointsMax) {
    return fail(ErrorCode::kInvalid,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                "query resolution (?step=XX)");
  }
  if (auto may = question.caller.limits.check_steps(points + 1); !may) return forward(may);
  question.form.emplace_back("start", request::format_seconds(**start));
  question.form.emplace_back("end", request::format_seconds(**end));
  question.form.emplace_back("step", request::format_seconds(step_ms));
  question.shape.steps = points + 1;
  question.step = std::chrono::milliseconds(step_ms);
  return read_rest(std::move(question), parameters, promql::Evaluation{**start, **end}, rules);
}

std::string bare_reading(const promql::Expr& expr, const std::vector<promql::TimeRange>& ranges) {
  std::string text;
  std::size_t index = 0;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    const promql::TimeRange& range = ranges[index++];
    promql::Selector bare = promql::bare_of(selector);
    bare.range = std::chrono::milliseconds(range.to_ms - range.from_ms + 1);
    bare.shift.at = promql::TimeShift::At::kTimestamp;
    bare.shift.timestamp_ms = range.to_ms;
    if (!text.empty()) text += " or ";
    text += fmt::format("count(last_over_time({}))", promql::print(bare));
  });
  return text;
}

}  // namespace vigia::router::plan
