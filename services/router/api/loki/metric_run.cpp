#include "services/router/api/loki/metric_run.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "services/router/api/loki/answer.hpp"
#include "services/router/api/loki/line_counts.hpp"
#include "services/router/api/loki/log_feed.hpp"
#include "services/router/api/loki/touched.hpp"

namespace vigia::router::api::loki {
namespace {

namespace metrics = logql::metrics;

using Opened = Result<std::unique_ptr<metrics::LineSource>>;

/// Lines of (after_ns, until_ns].
Opened open_feed(stores::Stores& stores, const LogWalk& of_query,
                 const logql::LogSelector& selector, LogRange range, FeedState& state) {
  auto streams = stream_query_of(selector.matchers);
  if (!streams) return forward(streams);
  LogWalk walk = of_query;
  walk.streams = std::move(*streams);
  walk.range = range;
  auto feed = LogFeed::open(stores, std::move(walk), selector, state);
  if (!feed) return forward(feed);
  return std::unique_ptr<metrics::LineSource>(std::move(*feed));
}

/// No line is of before 1970, nor of the last nanosecond that a number holds.
LogRange range_of(std::int64_t after_ns, std::int64_t until_ns) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max() - 1;
  return {std::max<std::int64_t>(std::min(after_ns, kLast) + 1, 0),
          std::max<std::int64_t>(std::min(until_ns, kLast) + 1, 1)};
}

Result<metrics::MetricAnswer> evaluated(stores::Stores& stores, const MetricQuestion& question,
                                        const std::shared_ptr<access::Interest>& interest,
                                        FeedState& state) {
  const auto& customer = question.query.customer;
  const auto open = [&](const logql::LogSelector& selector, std::int64_t after_ns,
                        std::int64_t until_ns) -> Opened {
    if (!customer) return fail(ErrorCode::kInternal, "lines are asked for of nobody");
    const LogWalk walk{.customer = *customer,
                       .streams = {},
                       .range = {},
                       .direction = Direction::kForward,
                       .interest = interest};
    return open_feed(stores, walk, selector, range_of(after_ns, until_ns), state);
  };
  const auto count = [&](const metrics::CountAsk& ask, const auto& take) -> Result<bool> {
    if (!customer) return fail(ErrorCode::kInternal, "lines are counted of nobody");
    auto streams = stream_query_of(ask.selector.matchers);
    if (!streams) return forward(streams);
    const LogWalk walk{.customer = *customer,
                       .streams = std::move(*streams),
                       .lines = pushed_filters(ask.selector),
                       .range = range_of(ask.after_ns, ask.until_ns),
                       .direction = Direction::kForward,
                       .interest = interest};
    return count_lines(stores, walk, ask, state, take);
  };
  return metrics::evaluate(
      *question.query.expr, question.times, open, [&state] { return state.look(); }, count);
}

/// What it was made of is counted beside the body, and gone when this returns: from there on the
/// exchange counts the body.
Result<net::Response> answered(stores::Stores& stores, const MetricQuestion& question,
                               const std::shared_ptr<access::Interest>& interest) {
  const access::QueryLimits& limits = question.query.limits;
  FeedState state{
      WorkWatch(stores.clock(), WorkBounds::of(limits, stores.settings().query_timeout), interest)};
  state.watch.resume();
  if (auto goes_on = state.look(); !goes_on) return forward(goes_on);
  auto found = evaluated(stores, question, interest, state);
  if (!found) return tl::unexpected<Error>(as_bad_query(std::move(found.error())));
  if (auto may = limits.check_series(found->series.size()); !may) return forward(may);
  auto held = stores.shares().hold(question.query.payer);
  if (!held.grow(bytes_of(*found))) {
    return fail(ErrorCode::kOverLimit, "other answers under way leave no room for this one");
  }
  const LogStats stats{state.watch.lines(), state.watch.bytes(), 0, state.watch.took()};
  return metric_answer(*found, {question.is_instant, stats, std::move(state.warnings)}, held);
}

/// From the begin of the earliest window to the end of the latest, offsets counted.
Result<void> check_touched(const ReadQuery& query, std::int64_t start_ns, std::int64_t end_ns) {
  const auto touched = touched_by(*query.expr, {start_ns, end_ns});
  if (!touched) return {};
  return check_range(query.limits, *touched);
}

}  // namespace

Result<MetricQuestion> read_metric_range(ReadQuery query, const request::Parameters& parameters,
                                         TimestampMs now_ms) {
  const auto range = read_range(parameters, now_ms, std::chrono::hours(1));
  if (!range) return forward(range);
  const auto step = read_step(parameters, *range);
  if (!step) return forward(step);
  if ((range->end_ns - range->start_ns) / step->count() >= kPointsMax) {
    return fail(ErrorCode::kInvalid,
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the "
                "value of the step parameter");
  }
  const auto points = (range->end_ns - range->start_ns) / step->count() + 1;
  if (auto may = query.limits.check_steps(static_cast<std::uint64_t>(points)); !may) {
    return forward(may);
  }
  if (auto may = check_touched(query, range->start_ns, range->end_ns); !may) return forward(may);
  return MetricQuestion{std::move(query), {range->start_ns, range->end_ns, step->count()}, false};
}

Result<MetricQuestion> read_metric_moment(ReadQuery query, const request::Parameters& parameters,
                                          TimestampMs now_ms) {
  const auto time_ns = read_moment(parameters, now_ms);
  if (!time_ns) return forward(time_ns);
  if (auto may = check_touched(query, *time_ns, *time_ns); !may) return forward(may);
  return MetricQuestion{std::move(query), {*time_ns, *time_ns, 1}, true};
}

void answer_metrics(stores::Stores& stores, const MetricQuestion& question,
                    request::Exchange exchange) {
  auto answer = answered(stores, question, exchange.interest());
  if (!answer) return exchange.fail(answer.error());
  exchange.send(std::move(*answer));
}

}  // namespace vigia::router::api::loki
