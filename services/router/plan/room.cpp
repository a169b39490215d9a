#include "services/router/plan/room.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "libs/model/resolution.hpp"
#include "libs/promql/copy.hpp"
#include "libs/promql/cost.hpp"
#include "libs/promql/labels_made.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"
#include "services/router/plan/limits.hpp"

namespace vigia::router::plan {
namespace {

std::string mebibytes(std::uint64_t bytes) {
  constexpr std::uint64_t kMuch = 1ULL << 40U;
  if (bytes > kMuch) return "more than a million MiB";
  return fmt::format("{} MiB", (bytes >> 20U) + 1);
}

}  // namespace

Error no_room(const promql::Expr& expr, const promql::EvaluationShape& shape, std::uint64_t bytes,
              std::string_view series) {
  const bool is_made_anew = promql::makes_series_at_each_step(expr);
  return {
      ErrorCode::kInvalid,
      fmt::format("the results of this query could take {} of a store that all customers "
                  "share, with {} and {} steps; {} are what one query may take. Ask for fewer "
                  "series (more matchers, an aggregation nearer to what is read) or fewer "
                  "steps (a longer step, a shorter range){}",
                  mebibytes(bytes), series, shape.steps, mebibytes(promql::kResultBytesMax - 1),
                  is_made_anew ? "; count_values, and group_left or group_right with labels, "
                                 "may make other series at every step; count by (label) (…), where "
                                 "a label tells the same, does not"
                               : "")};
}

promql::AssumedSeries assumed_of(const promql::Expr& expr, const promql::EvaluationShape& shape,
                                 const access::Caller& caller) {
  // At one time a series is a sample, which --query.max-samples bounds, unless the query itself
  // makes its labels or evaluates more times.
  const bool is_bounded = shape.steps == 1 && promql::label_bytes_made(expr) == 0 &&
                          promql::subquery_evaluations(expr, shape.length) == 0;
  return {is_bounded ? kSeriesAssumed : std::max(kSeriesAssumed, caller.active_series),
          kLabelBytesAssumed};
}

Result<void> check_room_of_fewest(const promql::Expr& expr, const promql::EvaluationShape& shape) {
  const std::uint64_t bytes = promql::result_bytes(expr, shape, promql::AssumedSeries(1, 0));
  if (bytes <= promql::kResultBytesMax) return {};
  return tl::unexpected<Error>(no_room(expr, shape, bytes, "even one series of each selector"));
}

bool has_room_uncounted(const promql::Expr& expr, const promql::EvaluationShape& shape,
                        const access::Caller& caller) {
  return promql::result_bytes(expr, shape, assumed_of(expr, shape, caller)) <=
         promql::kResultBytesMax;
}

std::vector<Selected> selected_by(const promql::Expr& expr,
                                  const std::vector<promql::TimeRange>& ranges) {
  std::vector<Selected> all;
  std::map<std::string, std::size_t> places;
  std::size_t number = 0;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    // `up`, `up[5m]` and `up offset 1h` over the same time read the same series, which are counted
    // once: range and offset are in the time, and the rest tells which they are.
    promql::Selector plain = promql::bare_of(selector);
    // Nor does it matter which part of their windows is read: no series has this label.
    std::erase_if(plain.matchers,
                  [](const Matcher& matcher) { return matcher.name == kRollupLabel; });
    const promql::TimeRange& range = ranges[number];
    const std::string key =
        fmt::format("{} {} {}", range.from_ms, range.to_ms, promql::print(plain));
    const auto [place, is_new] = places.try_emplace(key, all.size());
    if (is_new) all.push_back({std::move(plain), range, {}});
    all[place->second].numbers.push_back(number++);
  });
  return all;
}

}  // namespace vigia::router::plan
