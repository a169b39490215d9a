#include "services/router/api/prometheus/query_api.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/absent.hpp"
#include "libs/promql/cost.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/labels_made.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"
#include "services/router/request/times.hpp"
#include "services/router/run/room_count.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::uint64_t kPointsMax = 11'000;  // Prometheus' own bound on a range query
// Prometheus 2.x counts a native histogram as one sample, however many buckets it has, and its
// --query.max-samples does not bound them: 100 such series × 10,000 steps took 8 GB. What is not
// known to be light and has more steps than this goes to prometheus-query, a 3.x, which counts it.
constexpr std::uint64_t kStepsAtOldHotMax = 100;
constexpr std::string_view kRollupLabel = "__rollup__";
// The store's own time-out comes first, so that its reason reaches the caller.
constexpr std::chrono::seconds kAnswerSlack{5};

constexpr std::string_view kColdGaps =
    "cold part may be incomplete: rows of damaged files are still being written anew";
constexpr std::chrono::seconds kGapsTimeout{5};

std::int64_t milliseconds(Duration duration) { return duration.count() / 1'000'000; }

// What is counted of one query, wherever it goes, takes this at the longest: it holds a turn.
constexpr std::chrono::seconds kCountingMax{30};
// Results of more than this are not light, however few their samples are.
constexpr std::uint64_t kLightResultBytesMax = 64U << 20U;

Duration length_of(const promql::Evaluation& times) {
  constexpr std::uint64_t kMillisecondsMax =
      static_cast<std::uint64_t>(Duration::max() / std::chrono::milliseconds(1));
  // Without signs: the two may lie further apart than a signed number reaches.
  const std::uint64_t length_ms = std::min(
      static_cast<std::uint64_t>(times.end_ms) - static_cast<std::uint64_t>(times.start_ms),
      kMillisecondsMax);
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
    return run::check_room_of_fewest(expr, shape);
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

/// Reads what the selectors read and nothing else, so that PromQL has nothing to remark and every
/// warning is a store's. `ranges` are the selectors', in their order.
std::string bare_reading(const promql::Expr& expr, const std::vector<promql::TimeRange>& ranges) {
  std::string text;
  std::size_t index = 0;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    const promql::TimeRange& range = ranges[index++];
    promql::Selector bare = selector;
    bare.shift = {};
    bare.range = std::chrono::milliseconds(range.to_ms - range.from_ms + 1);
    bare.shift.at = promql::TimeShift::At::kTimestamp;
    bare.shift.timestamp_ms = range.to_ms;
    if (!text.empty()) text += " or ";
    text += fmt::format("count(last_over_time({}))", promql::print(bare));
  });
  return text;
}

/// What an answer says of what its query held; nothing where it says nothing.
std::optional<access::QueryCost> cost_of(Result<json::Envelope>& answer, bool cut) {
  constexpr access::QueryCost kMost{std::numeric_limits<std::uint64_t>::max(), 0};
  if (!answer) {
    const bool was_much =
        answer.error().code == ErrorCode::kDeadline || answer.error().code == ErrorCode::kTooLarge;
    return was_much ? std::optional(kMost) : std::nullopt;
  }
  if (!answer->is_success()) {
    const bool was_much = answer->error().find("too many samples") != std::string::npos;
    return was_much ? std::optional(kMost) : std::nullopt;
  }
  const auto samples = answer->peak_samples(cut);
  if (!samples) return std::nullopt;
  return access::QueryCost{*samples, answer->data().size()};
}

std::string span_text(std::string_view from, TimestampMs to_ms) {
  return fmt::format("{}/{}", from, request::format_time(to_ms));
}

}  // namespace

struct QueryApi::Evaluation {
  Evaluation(access::Caller asking, request::Exchange open)
      : caller(std::move(asking)), exchange(std::move(open)) {}

  /// "": the operators'.
  std::string customer() const { return caller.customer ? caller.customer->text() : ""; }
  std::string form_text(std::string_view name) const {
    const auto found = std::find_if(form.begin(), form.end(),
                                    [&](const auto& pair) { return pair.first == name; });
    return found == form.end() ? "" : found->second;
  }
  upstream::Lane lane() const {
    switch (weight) {
      case access::Weight::kLight:
        return upstream::Lane::kUsual;
      case access::Weight::kUnknown:
        return upstream::Lane::kUnknown;
      case access::Weight::kHeavy:
        return upstream::Lane::kHeavy;
    }
    return upstream::Lane::kHeavy;
  }

  void note(const coverage::Covered& known) {
    covered = known;
    is_hot_enough = covered.from && touches->from_ms >= *covered.from;
  }

  access::Caller caller;
  request::Exchange exchange;
  std::string path;
  request::Form form;
  Duration timeout{0};
  Duration counting_left{0};                 ///< of the time for counting series
  promql::ExprPtr expr;                      ///< fenced
  std::vector<promql::TimeRange> ranges;     ///< of its selectors
  std::optional<promql::TimeRange> touches;  ///< nothing where no selector stands in the query
  std::optional<std::size_t> shard;
  coverage::Covered covered;
  bool is_hot_enough = false;  ///< hot holds all that the query touches
  bool is_safer_at_query = false;
  Duration length{0};  ///< from the first step to the last
  access::QueryShape shape;
  access::Weight weight = access::Weight::kLight;
  bool is_heavier = false;    ///< by what its series were counted to be
  bool is_for_query = false;  ///< for what they were counted to be at hot
  bool is_own_stats = false;  ///< asked for by us alone
  /// Of a cold store that is new, which has less of the query's past than hot has.
  std::optional<coverage::ColdReplacement> worse_cold;
  bool has_hot_failed = false;
  bool has_query_failed = false;
};

Result<promql::ExprPtr> QueryApi::expression_of(const request::ApiRequest& request) const {
  auto text = request.parameters.single("query");
  if (!text) return forward(text);
  if (!*text) return fail(ErrorCode::kInvalid, "parameter \"query\" is missing");
  auto expr = promql::parse(**text, stores_.coverage().dialect());
  if (!expr) {
    return tl::unexpected<Error>(
        with_context("invalid parameter \"query\"", std::move(expr.error())));
  }
  bool is_reserved = false;
  promql::for_each_selector(std::as_const(**expr), [&](const promql::Selector& selector) {
    for (const Matcher& matcher : selector.matchers) {
      is_reserved = is_reserved || matcher.name == kRollupLabel;
    }
  });
  if (is_reserved) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the label {} is the router's own and cannot be asked for", kRollupLabel));
  }
  return expr;
}

Result<void> QueryApi::fence(const access::Caller& caller, promql::Expr& expr,
                             request::Form& form) const {
  if (!caller.customer) {
    form.emplace_back("query", promql::print(expr));
    return {};
  }
  promql::hide_fence_in_absent(expr);
  auto text = promql::fenced_text(*caller.customer, expr, stores_.coverage().dialect());
  if (!text) return forward(text);
  form.emplace_back("query", std::move(*text));
  return {};
}

Result<void> QueryApi::add_options(const request::ApiRequest& request,
                                   Evaluation& evaluation) const {
  auto timeout = request.parameters.length_or_zero("timeout");
  if (!timeout) return forward(timeout);
  const Duration most = stores_.settings().query_timeout;
  const Duration chosen = std::min(timeout->value_or(most), most);
  // 0 goes on as 0: the store has words of its own for it.
  const std::int64_t least = chosen > Duration::zero() ? 1 : 0;
  evaluation.form.emplace_back("timeout",
                               fmt::format("{}ms", std::max(milliseconds(chosen), least)));
  evaluation.timeout = chosen + kAnswerSlack;
  evaluation.counting_left = std::min<Duration>(evaluation.timeout, kCountingMax);
  auto limit = request.parameters.single("limit");
  if (!limit) return forward(limit);
  if (*limit) evaluation.form.emplace_back("limit", **limit);
  auto stats = request.parameters.single("stats");
  if (!stats) return forward(stats);
  evaluation.is_own_stats = !*stats || (*stats)->empty();
  evaluation.form.emplace_back("stats", evaluation.is_own_stats ? "1" : **stats);
  return {};
}

/// Which row it takes at a store: what is not known to be light, one of a customer's at once.
void QueryApi::weigh(Evaluation& evaluation) const {
  if (!evaluation.touches) return;  // reads nothing
  evaluation.shape.text = evaluation.form_text("query");
  evaluation.shape.touches = *evaluation.touches;
  evaluation.weight = stores_.weights().weigh(evaluation.customer(), evaluation.shape);
}

void QueryApi::learn(Evaluation& evaluation, Result<json::Envelope>& answer) const {
  const auto cost = cost_of(answer, evaluation.is_own_stats);
  if (!cost || !evaluation.touches || evaluation.exchange.interest()->is_lost()) return;
  stores_.weights().note(evaluation.customer(), evaluation.shape, *cost);
}

Result<void> QueryApi::prepare(const request::ApiRequest& request, promql::Evaluation times,
                               Evaluation& evaluation) const {
  auto lookback = request.parameters.length_or_zero("lookback_delta");
  if (!lookback) return forward(lookback);
  if (*lookback && **lookback > Duration::zero()) {  // 0 is the usual one
    times.lookback = **lookback;
    evaluation.form.emplace_back(
        "lookback_delta", fmt::format("{}ms", std::max<std::int64_t>(milliseconds(**lookback), 1)));
  }
  auto expr = expression_of(request);
  if (!expr) return forward(expr);
  evaluation.length = length_of(times);
  auto affordable = check_cost(
      **expr, {promql::Dialect::kPrometheus3, evaluation.shape.steps, evaluation.length});
  if (!affordable) return affordable;
  evaluation.ranges = promql::selector_ranges(**expr, times);
  if (!evaluation.ranges.empty()) evaluation.touches = touched(evaluation.ranges);
  auto fenced = fence(request.caller, **expr, evaluation.form);
  if (!fenced) return fenced;
  evaluation.expr = std::move(*expr);
  auto options = add_options(request, evaluation);
  if (!options) return options;
  weigh(evaluation);
  choose(request, evaluation);
  return {};
}

Result<void> QueryApi::prepare_instant(const request::ApiRequest& request,
                                       Evaluation& evaluation) const {
  auto time = request.parameters.time("time");
  if (!time) return forward(time);
  // Always sent, so that what is evaluated is what was weighed against the coverage.
  const TimestampMs at = time->value_or(stores_.clock().wall_ms());
  evaluation.form.emplace_back("time", request::format_seconds(at));
  return prepare(request, promql::Evaluation{at, at}, evaluation);
}

Result<void> QueryApi::prepare_range(const request::ApiRequest& request,
                                     Evaluation& evaluation) const {
  auto start = request.parameters.time("start");
  auto end = request.parameters.time("end");
  auto step = request.parameters.length("step");
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
  // Without signs: the two may lie further apart than a signed number reaches.
  const std::uint64_t length_ms =
      static_cast<std::uint64_t>(**end) - static_cast<std::uint64_t>(**start);
  if (length_ms / static_cast<std::uint64_t>(step_ms) > kPointsMax) {
    return fail(ErrorCode::kInvalid,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                "query resolution (?step=XX)");
  }
  evaluation.form.emplace_back("start", request::format_seconds(**start));
  evaluation.form.emplace_back("end", request::format_seconds(**end));
  evaluation.form.emplace_back("step", request::format_seconds(step_ms));
  evaluation.shape.steps = length_ms / static_cast<std::uint64_t>(step_ms) + 1;
  return prepare(request, promql::Evaluation{**start, **end}, evaluation);
}

void QueryApi::choose(const request::ApiRequest& request, Evaluation& evaluation) const {
  evaluation.shard = stores_.shard_of(request.caller);
  if (!evaluation.touches) {
    if (!evaluation.shard) evaluation.shard = 0;  // 1+1 is 2 everywhere
    evaluation.is_hot_enough = true;
    return;
  }
  if (!evaluation.shard) return;
  evaluation.note(stores_.covered(*evaluation.shard, request.caller));
  evaluation.is_safer_at_query =
      evaluation.weight != access::Weight::kLight && evaluation.shape.steps > kStepsAtOldHotMax &&
      stores_.query() != nullptr && stores_.coverage().dialect() == promql::Dialect::kPrometheus2;
}

void QueryApi::query(request::ApiRequest request, request::Exchange exchange) {
  auto evaluation = std::make_shared<Evaluation>(request.caller, std::move(exchange));
  evaluation->path = "/api/v1/query";
  if (const auto ready = prepare_instant(request, *evaluation); !ready) {
    return evaluation->exchange.fail(ready.error());
  }
  start(evaluation);
}

void QueryApi::query_range(request::ApiRequest request, request::Exchange exchange) {
  auto evaluation = std::make_shared<Evaluation>(request.caller, std::move(exchange));
  evaluation->path = "/api/v1/query_range";
  if (const auto ready = prepare_range(request, *evaluation); !ready) {
    return evaluation->exchange.fail(ready.error());
  }
  start(evaluation);
}

void QueryApi::start(const Shared& evaluation) {
  const bool is_hot_only = stores_.query() == nullptr;
  const bool is_for_hot = evaluation->is_hot_enough && !evaluation->is_safer_at_query;
  if (evaluation->shard && (is_for_hot || is_hot_only)) return ask_hot(evaluation);
  note_worse_cold(*evaluation);
  if (evaluation->worse_cold) return ask_hot(evaluation);
  if (!is_hot_only) return ask_query(evaluation);
  evaluation->exchange.fail(
      {ErrorCode::kInvalid,
       evaluation->caller.customer
           ? "the hot store of this customer is not configured"
           : "several hot stores and no prometheus-query: choose a customer by X-Vigia-Customer"});
}

/// Where another cold store stands in the place of the known one, hot's part is asked for as if
/// there were none, if that reaches further back.
void QueryApi::note_worse_cold(Evaluation& evaluation) const {
  const auto& covered = evaluation.covered.from;
  if (!evaluation.shard || !evaluation.touches || !covered || evaluation.is_safer_at_query) return;
  const auto replaced = stores_.cold_replacement();
  if (!replaced || !replaced->lacks(evaluation.touches->from_ms)) return;
  if (replaced->lacks(*covered)) evaluation.worse_cold = replaced;
}

/// Prometheus counts samples, and no room that results have for others. So the router counts the
/// series, where not even many of them are known to fit: at the store that evaluates, in the turn
/// that the query then has.
void QueryApi::add_room_check(const Shared& evaluation, std::optional<std::size_t> shard,
                              upstream::Ask& ask) {
  const auto dialect = shard ? stores_.coverage().dialect() : promql::Dialect::kPrometheus3;
  const promql::EvaluationShape shape{dialect, evaluation->shape.steps, evaluation->length};
  if (run::has_room_uncounted(*evaluation->expr, shape, evaluation->caller)) return;
  ask.before = [this, evaluation, shard, shape](std::function<void(Result<void>)> say) {
    // They stay as long as the evaluation.
    run::RoomQuestion question{evaluation->caller,
                               {evaluation, evaluation->expr.get()},
                               {evaluation, &evaluation->ranges},
                               shape,
                               shard,
                               evaluation->counting_left,
                               evaluation->exchange.interest()};
    const TimePoint began = stores_.clock().steady();
    run::find_room(stores_, std::move(question),
                   [this, evaluation, shard, began, say = std::move(say)](const auto& bytes) {
                     evaluation->counting_left -= stores_.clock().steady() - began;
                     say(take_room(*evaluation, shard, bytes));
                   });
  };
}

/// Nothing where it may go on where it is; what it fails with is looked at by `moves` first.
Result<void> QueryApi::take_room(Evaluation& evaluation, std::optional<std::size_t> shard,
                                 const Result<std::uint64_t>& bytes) const {
  const bool may_leave_old_hot = shard && may_leave_hot(evaluation) &&
                                 stores_.coverage().dialect() == promql::Dialect::kPrometheus2;
  if (!bytes) {
    // A hot store of 2.x tells how many series there are and not which of them are alike.
    evaluation.is_for_query = may_leave_old_hot && bytes.error().code == ErrorCode::kInvalid;
    return forward(bytes);
  }
  if (*bytes <= kLightResultBytesMax || evaluation.weight != access::Weight::kLight) return {};
  evaluation.is_heavier = true;
  evaluation.is_for_query = may_leave_old_hot && evaluation.shape.steps > kStepsAtOldHotMax;
  return fail(ErrorCode::kOverLimit, "this query has to wait among the heavy ones");
}

bool QueryApi::may_leave_hot(const Evaluation& evaluation) const {
  return stores_.query() != nullptr && !evaluation.has_query_failed && !evaluation.worse_cold;
}

/// A query may wait for minutes, and its series be counted for half of one: what hot covers then is
/// what counts. It may have come back empty.
void QueryApi::add_coverage_check(const Shared& evaluation, upstream::Ask& ask) const {
  if (!evaluation->touches) return;
  ask.before = [this, evaluation, count = std::move(ask.before)](auto say) {
    const auto covers = check_coverage(*evaluation);
    if (!covers || !count) return say(covers);
    count([this, evaluation, say = std::move(say)](const Result<void>& has_room) {
      say(has_room ? check_coverage(*evaluation) : has_room);
    });
  };
}

/// What it fails with is looked at by `moves` first.
Result<void> QueryApi::check_coverage(Evaluation& evaluation) const {
  evaluation.note(stores_.covered(*evaluation.shard, evaluation.caller));
  if (evaluation.is_hot_enough || !may_leave_hot(evaluation)) return {};
  evaluation.is_for_query = true;
  return fail(ErrorCode::kOverLimit, "the hot store covers less than when this query came");
}

/// True where it has to take a turn of another kind, or at the other store, and does so.
bool QueryApi::moves(const Shared& evaluation, bool is_at_hot) {
  const bool is_for_query = std::exchange(evaluation->is_for_query, false);
  const bool is_heavier = std::exchange(evaluation->is_heavier, false);
  if (!is_for_query && !is_heavier) return false;
  if (is_heavier) evaluation->weight = access::Weight::kHeavy;
  is_at_hot && !is_for_query ? ask_hot(evaluation) : ask_query(evaluation);
  return true;
}

void QueryApi::ask_hot(const Shared& evaluation) {
  upstream::Ask ask{evaluation->caller.customer,
                    evaluation->path,
                    evaluation->form,
                    true,
                    evaluation->timeout,
                    {},
                    evaluation->exchange.interest(),
                    evaluation->lane()};
  add_room_check(evaluation, evaluation->shard, ask);
  add_coverage_check(evaluation, ask);
  stores_.hot()[*evaluation->shard].ask(std::move(ask),
                                        [this, evaluation](Result<json::Envelope> answer) {
                                          if (!moves(evaluation, true))
                                            take_hot(evaluation, std::move(answer));
                                        });
}

void QueryApi::ask_query(const Shared& evaluation) {
  upstream::Ask ask{evaluation->caller.customer,
                    evaluation->path,
                    evaluation->form,
                    true,
                    evaluation->timeout,
                    {},
                    evaluation->exchange.interest(),
                    evaluation->lane()};
  add_room_check(evaluation, std::nullopt, ask);
  stores_.query()->ask(std::move(ask), [this, evaluation](Result<json::Envelope> answer) {
    if (!moves(evaluation, false)) take_query(evaluation, std::move(answer));
  });
}

void QueryApi::take_hot(const Shared& evaluation, Result<json::Envelope> answer) {
  if (answer && answer->is_success() && evaluation->touches) {
    auto known = stores_.covered(*evaluation->shard, evaluation->caller);
    // It may have gone and come back meanwhile, and be whole again since this was evaluated.
    if (known.suspicions != evaluation->covered.suspicions) known.from.reset();
    evaluation->note(known);
    if (!evaluation->is_hot_enough && may_leave_hot(*evaluation)) return ask_query(evaluation);
  }
  learn(*evaluation, answer);
  if (!answer) {
    if (upstream::is_lost(answer.error())) stores_.coverage().mark_suspect(*evaluation->shard);
    if (upstream::is_store_fault(answer.error())) {
      // Only one that is gone may come back empty. A fault that it tells of, perhaps of this query
      // alone, says nothing about what it holds.
      if (answer.error().code == ErrorCode::kUnavailable) {
        stores_.coverage().mark_suspect(*evaluation->shard);
      }
      evaluation->has_hot_failed = true;
      evaluation->worse_cold.reset();  // it is better than nothing
      if (may_leave_hot(*evaluation)) return ask_query(evaluation);
    }
    return evaluation->exchange.fail(upstream::outward(answer.error()));
  }
  if (!answer->is_success()) return evaluation->exchange.send(refusal(*answer));
  Notes notes;
  if (!evaluation->touches) return finish(evaluation, std::move(*answer), std::move(notes));
  const promql::TimeRange& range = *evaluation->touches;
  const auto& covered = evaluation->covered.from;
  const std::string from =
      !covered ? "unknown" : request::format_time(std::max(range.from_ms, *covered));
  notes.served = "hot=" + span_text(from, range.to_ms);
  if (evaluation->worse_cold && !evaluation->is_hot_enough) {
    notes.warnings.push_back(
        fmt::format("cold part missing: {}; samples before {} may be missing here",
                    evaluation->worse_cold->text(),
                    covered ? request::format_time(*covered) : "a time not known"));
  } else if (evaluation->has_query_failed && !evaluation->is_hot_enough) {
    notes.warnings.push_back(
        covered ? fmt::format("cold part missing: the long-term store does not answer, so samples "
                              "before {} may be missing here",
                              request::format_time(*covered))
                : std::string("cold part missing: the long-term store does not answer, and it is "
                              "not known what the hot store holds"));
  } else if (!evaluation->is_hot_enough) {
    notes.infos.emplace_back("there is no long-term store here: older samples do not exist");
  }
  finish(evaluation, std::move(*answer), std::move(notes));
}

void QueryApi::take_query(const Shared& evaluation, Result<json::Envelope> answer) {
  learn(*evaluation, answer);
  if (answer && answer->is_success() && !is_incomplete(*answer) && leaves_warnings_out(*answer) &&
      evaluation->touches) {
    return look_again(evaluation, std::move(*answer));
  }
  const bool is_complete = answer && !is_incomplete(*answer);
  settle_query(evaluation, std::move(answer), is_complete);
}

/// Prometheus shows ten warnings of any kind: whether a store's is among the rest is seen by
/// reading the same samples once more, without anything to remark on.
void QueryApi::look_again(const Shared& evaluation, json::Envelope answer) {
  upstream::Ask ask{
      evaluation->caller.customer,     "/api/v1/query",   {}, true, evaluation->timeout, {},
      evaluation->exchange.interest(), evaluation->lane()};
  ask.form.emplace_back("query", bare_reading(*evaluation->expr, evaluation->ranges));
  ask.form.emplace_back("time", request::format_seconds(evaluation->touches->to_ms));
  auto first = std::make_shared<json::Envelope>(std::move(answer));
  stores_.query()->ask(
      std::move(ask), [this, evaluation, first](const Result<json::Envelope>& second) {
        if (!second && upstream::is_lost(second.error())) {
          return settle_query(evaluation, tl::unexpected<Error>(second.error()), false);
        }
        const bool is_complete = second && second->is_success() && !is_incomplete(*second);
        settle_query(evaluation, std::move(*first), is_complete);
      });
}

void QueryApi::settle_query(const Shared& evaluation, Result<json::Envelope> answer,
                            bool is_complete) {
  // A store behind prometheus-query that fails shows as a warning beside an answer that is too
  // short, or, when it breaks off half-way, as a failed execution.
  const bool is_broken_off = answer && !answer->is_success() &&
                             answer->error_type() == "execution" &&
                             answer->error().find("expanding series") != std::string::npos;
  if (!is_complete || is_broken_off) {
    evaluation->has_query_failed = true;
    const bool is_final = !answer && !upstream::is_store_fault(answer.error());
    if (!is_final && evaluation->shard && !evaluation->has_hot_failed) return ask_hot(evaluation);
    return evaluation->exchange.fail(answer ? upstream::no_answer()
                                            : upstream::outward(answer.error()));
  }
  if (!answer->is_success()) return evaluation->exchange.send(refusal(*answer));
  Notes notes;
  if (!evaluation->touches) return finish(evaluation, std::move(*answer), std::move(notes));
  const promql::TimeRange& range = *evaluation->touches;
  notes.served = "cold:raw=" + span_text(request::format_time(range.from_ms), range.to_ms);
  const auto& customer = evaluation->caller.customer;
  if (auto lost = stores_.cold_holes().warning(customer, range.from_ms, range.to_ms)) {
    notes.warnings.push_back(std::move(*lost));
  }
  const auto replaced = stores_.cold_replacement();
  if (replaced && replaced->lacks(range.from_ms)) {
    notes.warnings.push_back("cold part may be incomplete: " + replaced->text());
  }
  const stores::Stores::ColdGaps gaps = stores_.cold_gaps();
  if (gaps == stores::Stores::ColdGaps::kOfSome && customer) {
    return ask_for_gaps(evaluation, std::move(*answer), std::move(notes));
  }
  if (gaps != stores::Stores::ColdGaps::kNone) notes.warnings.emplace_back(kColdGaps);
  finish(evaluation, std::move(*answer), std::move(notes));
}

/// Some customers' rows are missing: a small answer of storage's says whether this one's are.
void QueryApi::ask_for_gaps(const Shared& evaluation, json::Envelope answer, Notes notes) const {
  upstream::Ask ask{evaluation->caller.customer,
                    "/api/v1/labels",
                    {{"limit", "1"}},
                    false,
                    kGapsTimeout,
                    {},
                    evaluation->exchange.interest(),
                    upstream::Lane::kLookUp};
  ask.headers.add("x-vigia-customer", evaluation->caller.customer->text());
  struct Kept {
    json::Envelope answer;
    Notes notes;
  };
  auto kept = std::make_shared<Kept>(Kept{std::move(answer), std::move(notes)});
  stores_.cold()->fetch(
      std::move(ask), [this, evaluation, kept](const Result<net::ClientResponse>& said) {
        const bool is_whole =
            said && said->status == 200 && said->headers.count(upstream::kIncompleteHeader) == 0;
        if (!is_whole) kept->notes.warnings.emplace_back(kColdGaps);
        finish(evaluation, std::move(kept->answer), std::move(kept->notes));
      });
}

void QueryApi::finish(const Shared& evaluation, json::Envelope answer, Notes notes) const {
  for (std::string& remark : promql_remarks(answer.warnings())) {
    notes.warnings.push_back(std::move(remark));
  }
  for (std::string& remark : promql_remarks(answer.infos())) {
    notes.infos.push_back(std::move(remark));
  }
  if (!notes.served.empty()) notes.infos.push_back("served by " + notes.served);
  evaluation->exchange.send(success(std::move(answer), notes));
}

void QueryApi::query_exemplars(request::ApiRequest request, request::Exchange exchange) {
  auto evaluation = std::make_shared<Evaluation>(request.caller, std::move(exchange));
  bool has_selector = false;
  const auto prepared = [&]() -> Result<void> {
    for (const std::string_view name : {"start", "end"}) {
      auto time = request.parameters.time(name);
      if (!time) return forward(time);
      if (*time) evaluation->form.emplace_back(name, request::format_seconds(**time));
    }
    auto expr = expression_of(request);
    if (!expr) return forward(expr);
    promql::for_each_selector(std::as_const(**expr),
                              [&](const promql::Selector&) { has_selector = true; });
    evaluation->shard = stores_.shard_of(request.caller);
    if (!evaluation->shard) {
      return fail(ErrorCode::kInvalid, "exemplars: choose a customer by X-Vigia-Customer");
    }
    return fence(request.caller, **expr, evaluation->form);
  }();
  if (!prepared) return evaluation->exchange.fail(prepared.error());
  // Nothing is selected: Prometheus 3.x would answer with null, which clients take for a fault.
  if (!has_selector) return evaluation->exchange.send(success("[]", {}));
  // Exemplars live in hot alone.
  stores_.hot()[*evaluation->shard].ask(
      {evaluation->caller.customer,
       "/api/v1/query_exemplars",
       evaluation->form,
       true,
       stores_.settings().query_timeout,
       {},
       evaluation->exchange.interest(),
       upstream::Lane::kLookUp},
      [this, evaluation](Result<json::Envelope> answer) {
        if (!answer) return evaluation->exchange.fail(upstream::outward(answer.error()));
        if (!answer->is_success()) return evaluation->exchange.send(refusal(*answer));
        finish(evaluation, std::move(*answer), {});
      });
}

void QueryApi::format_query(request::ApiRequest request, request::Exchange exchange) {
  ask_about_text("/api/v1/format_query", request, std::move(exchange));
}

void QueryApi::parse_query(request::ApiRequest request, request::Exchange exchange) {
  if (stores_.coverage().dialect() != promql::Dialect::kPrometheus3) {
    return exchange.fail({ErrorCode::kNotFound, "the hot store's Prometheus has no parse_query"});
  }
  ask_about_text("/api/v1/parse_query", request, std::move(exchange));
}

void QueryApi::ask_about_text(std::string path, const request::ApiRequest& request,
                              request::Exchange exchange) {
  auto evaluation = std::make_shared<Evaluation>(request.caller, std::move(exchange));
  auto expr = expression_of(request);
  if (!expr) return evaluation->exchange.fail(expr.error());
  const std::size_t shard = stores_.shard_of(request.caller).value_or(0);
  // Text in, text out: it reads no data, so it stays as the caller wrote it.
  stores_.hot()[shard].ask({request.caller.customer,
                            std::move(path),
                            {{"query", promql::print(**expr)}},
                            true,
                            stores_.settings().query_timeout,
                            {},
                            evaluation->exchange.interest()},
                           [this, evaluation](Result<json::Envelope> answer) {
                             if (!answer)
                               return evaluation->exchange.fail(upstream::outward(answer.error()));
                             if (!answer->is_success())
                               return evaluation->exchange.send(refusal(*answer));
                             finish(evaluation, std::move(*answer), {});
                           });
}

}  // namespace vigia::router::api::prometheus
