#include "services/router/run/room_count.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/limits.hpp"
#include "services/router/plan/room.hpp"

namespace vigia::router::run {
namespace {

// After each of so many counts it is asked whether the rest matters.
constexpr std::size_t kLooksAhead = 3;

/// Says nothing of how long the query itself would take.
Error counted_too_long() {
  constexpr std::chrono::seconds kRetryAfter{5};
  return {ErrorCode::kOverLimit,
          "counting the series of this query took too long; ask for fewer selections of series, or "
          "with more matchers, or over a shorter range, or again in a few seconds",
          kRetryAfter};
}

class Finding : public std::enable_shared_from_this<Finding> {
 public:
  Finding(stores::Stores& stores, RoomQuestion question, Task<void(Result<std::uint64_t>)> done)
      : stores_(stores),
        question_(std::move(question)),
        done_(std::move(done)),
        deadline_(stores_.clock().steady() + question_.timeout),
        selected_(plan::selected_by(*question_.expr, *question_.ranges)),
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
    const plan::Selected& next = selected_[counted_];
    take_census(
        stores_,
        {question_.caller, next.selector, next.range, question_.member, left, question_.interest},
        [self = shared_from_this()](Result<Census> census) { self->take(std::move(census)); });
  }

  void take(Result<Census> census) {
    if (!census) {
      const bool is_late = census.error().code == ErrorCode::kDeadline;
      return done_(tl::unexpected<Error>(is_late ? counted_too_long() : census.error()));
    }
    if (census->series) bytes_ += census->series->bytes();
    series_ += std::min(census->count, kCensusMax + 1);  // at least
    if (auto may = question_.caller.limits.check_series(series_); !may) {
      return done_(forward(may));
    }
    const auto shared = std::make_shared<const Census>(std::move(*census));
    for (const std::size_t number : selected_[counted_].numbers) found_[number] = shared;
    ++counted_;
    if (bytes_ < upstream::Readers::kLargeBytes) return go_on();
    // Grouping many series takes long.
    stores_.readers().read(question_.caller.payer(), bytes_,
                           [self = shared_from_this()] { self->go_on(); });
  }

  void go_on() {
    const bool is_last = counted_ == selected_.size();
    if (!is_last && counted_ > kLooksAhead) return ask_next();
    const std::uint64_t least = bytes_with({1, 0});
    if (least > promql::kResultBytesMax) return refuse(least);
    if (is_last) return done_(least);
    const std::uint64_t most =
        bytes_with(plan::assumed_of(*question_.expr, question_.shape, question_.caller));
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
    done_(tl::unexpected<Error>(plan::no_room(*question_.expr, question_.shape, bytes, text)));
  }

  stores::Stores& stores_;
  const RoomQuestion question_;
  const Task<void(Result<std::uint64_t>)> done_;
  const TimePoint deadline_;
  const std::vector<plan::Selected> selected_;
  std::vector<std::shared_ptr<const Census>> found_;  // by selector of the query
  std::size_t counted_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t series_ = 0;  // of what was counted
};

}  // namespace

void find_room(stores::Stores& stores, RoomQuestion question,
               Task<void(Result<std::uint64_t>)> done) {
  std::make_shared<Finding>(stores, std::move(question), std::move(done))->start();
}

}  // namespace vigia::router::run
