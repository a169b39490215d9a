#include "services/router/run/room_count.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/cost.hpp"
#include "libs/promql/labels_made.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::router::run {
namespace {

// After each of so many counts it is asked whether the rest matters.
constexpr std::size_t kLooksAhead = 3;

std::string mebibytes(std::uint64_t bytes) {
  constexpr std::uint64_t kMuch = 1ULL << 40U;
  if (bytes > kMuch) return "more than a million MiB";
  return fmt::format("{} MiB", (bytes >> 20U) + 1);
}

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

/// Says nothing of how long the query itself would take.
Error counted_too_long() {
  constexpr std::chrono::seconds kRetryAfter{5};
  return {ErrorCode::kOverLimit,
          "counting the series of this query took too long; ask for fewer selections of series, or "
          "with more matchers, or over a shorter range, or again in a few seconds",
          kRetryAfter};
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

struct Selected {
  promql::Selector selector;
  promql::TimeRange range;
  std::vector<std::size_t> numbers;  ///< where it stands in the query
};

/// What the query reads, each once.
std::vector<Selected> selected_by(const promql::Expr& expr,
                                  const std::vector<promql::TimeRange>& ranges) {
  std::vector<Selected> all;
  std::map<std::string, std::size_t> places;
  std::size_t number = 0;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    promql::Selector plain = selector;
    plain.range.reset();
    plain.shift = {};
    const promql::TimeRange& range = ranges[number];
    const std::string key =
        fmt::format("{} {} {}", range.from_ms, range.to_ms, promql::print(plain));
    const auto [place, is_new] = places.try_emplace(key, all.size());
    if (is_new) all.push_back({std::move(plain), range, {}});
    all[place->second].numbers.push_back(number++);
  });
  return all;
}

class Finding : public std::enable_shared_from_this<Finding> {
 public:
  Finding(stores::Stores& stores, RoomQuestion question,
          std::function<void(Result<std::uint64_t>)> done)
      : stores_(stores),
        question_(std::move(question)),
        done_(std::move(done)),
        deadline_(stores_.clock().steady() + question_.timeout),
        selected_(selected_by(*question_.expr, *question_.ranges)),
        found_(question_.ranges->size()) {}

  void start() {
    if (selected_.empty()) return go_on();
    if (selected_.size() <= kCensusesMax) return ask_next();
    done_(fail(ErrorCode::kInvalid,
               fmt::format("over {} steps a query may read {} different selections of series, and "
                           "this one reads {}: ask for fewer steps (a longer step, a shorter "
                           "range), or in several queries",
                           question_.shape.steps, kCensusesMax, selected_.size())));
  }

 private:
  void ask_next() {
    const Duration left = deadline_ - stores_.clock().steady();
    if (left <= Duration::zero()) return done_(tl::unexpected<Error>(counted_too_long()));
    const Selected& next = selected_[counted_];
    take_census(
        stores_,
        {question_.caller, next.selector, next.range, question_.shard, left, question_.interest},
        [self = shared_from_this()](Result<Census> census) { self->take(std::move(census)); });
  }

  void take(Result<Census> census) {
    if (!census) {
      const bool is_late = census.error().code == ErrorCode::kDeadline;
      return done_(tl::unexpected<Error>(is_late ? counted_too_long() : census.error()));
    }
    if (census->series) bytes_ += census->series->bytes();
    const auto shared = std::make_shared<const Census>(std::move(*census));
    for (const std::size_t number : selected_[counted_].numbers) found_[number] = shared;
    ++counted_;
    if (bytes_ < upstream::Readers::kLargeBytes) return go_on();
    // Grouping many series takes long.
    stores_.readers().read(question_.caller.customer ? question_.caller.customer->text() : "",
                           [self = shared_from_this()] { self->go_on(); });
  }

  void go_on() {
    const bool is_last = counted_ == selected_.size();
    if (!is_last && counted_ > kLooksAhead) return ask_next();
    const std::uint64_t least = bytes_with({1, 0});
    if (least > promql::kResultBytesMax) return refuse(least);
    if (is_last) return done_(least);
    const std::uint64_t most =
        bytes_with(assumed_of(*question_.expr, question_.shape, question_.caller));
    if (most <= promql::kResultBytesMax) return done_(most);
    ask_next();
  }

  std::uint64_t bytes_with(promql::AssumedSeries others) const {
    return promql::result_bytes(*question_.expr, question_.shape, CountedSeries(found_, others));
  }

  void refuse(std::uint64_t bytes) {
    std::uint64_t series = 0;
    for (const auto& census : found_) {
      if (census) series = std::max(series, census->count);
    }
    const std::string text = series > kCensusMax
                                 ? fmt::format("more than {} series of one selector", kCensusMax)
                                 : fmt::format("{} series of one selector", series);
    done_(tl::unexpected<Error>(no_room(*question_.expr, question_.shape, bytes, text)));
  }

  stores::Stores& stores_;
  const RoomQuestion question_;
  const std::function<void(Result<std::uint64_t>)> done_;
  const TimePoint deadline_;
  const std::vector<Selected> selected_;
  std::vector<std::shared_ptr<const Census>> found_;  // by selector of the query
  std::size_t counted_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

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

void find_room(stores::Stores& stores, RoomQuestion question,
               std::function<void(Result<std::uint64_t>)> done) {
  std::make_shared<Finding>(stores, std::move(question), std::move(done))->start();
}

}  // namespace vigia::router::run
