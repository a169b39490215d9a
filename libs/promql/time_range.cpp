#include "libs/promql/time_range.hpp"

#include <algorithm>

namespace vigia::promql {
namespace {

TimestampMs ms(Duration duration) {
  // Rounded away from zero where finer than a millisecond: rather a little more than too little.
  constexpr std::int64_t kMillisecond = 1'000'000;
  const std::int64_t count = duration.count();
  return count / kMillisecond + (count % kMillisecond > 0 ? 1 : count % kMillisecond < 0 ? -1 : 0);
}

/// Far from overflow: a length is at most 2^44 ms, and a tree has at most 1,000 levels.
constexpr TimestampMs kFar = TimestampMs{1} << 60U;

TimestampMs bounded(TimestampMs time_ms) { return std::clamp(time_ms, -kFar, kFar); }

class RangeWalk {
 public:
  RangeWalk(const Evaluation& evaluation, std::vector<TimeRange>& found)
      : evaluation_(evaluation), found_(found) {}

  void walk(const Expr& expr, TimeRange times) {
    std::visit([&](const auto& node) { see(node, times); }, expr.node);
  }

 private:
  void see(const NumberLiteral& /*number*/, TimeRange /*times*/) {}
  void see(const StringLiteral& /*text*/, TimeRange /*times*/) {}
  void see(const Selector& selector, TimeRange times) {
    TimeRange read = shifted(times, selector.shift, selector.range.value_or(evaluation_.lookback));
    // What is anchored begins with the sample before its range; what is smoothed ends with the one
    // behind it, too. Both look no further than the look-back.
    const TimestampMs lookback = ms(evaluation_.lookback);
    if (selector.extension != Selector::Extension::kNone) read.from_ms -= lookback;
    if (selector.extension == Selector::Extension::kSmoothed) read.to_ms += lookback;
    found_.push_back(read);
  }
  void see(const Subquery& subquery, TimeRange times) {
    walk(*subquery.expr, shifted(times, subquery.shift, subquery.range));
  }
  void see(const Call& call, TimeRange times) {
    if (call.function->name == "info") return see_info(call, times);
    for (const ExprPtr& argument : call.arguments) walk(*argument, times);
  }
  /// What info() adds is read at the times of what it is added to, as the first selector in there
  /// says: all of them, and those of the query, hold it.
  void see_info(const Call& call, TimeRange times) {
    const std::size_t first = found_.size();
    walk(*call.arguments.front(), times);
    TimeRange all = shifted(times, {}, evaluation_.lookback);
    for (std::size_t i = first; i < found_.size(); ++i) {
      all.from_ms = std::min(all.from_ms, found_[i].from_ms - ms(evaluation_.lookback));
      all.to_ms = std::max(all.to_ms, found_[i].to_ms);
    }
    if (call.arguments.size() == 2) found_.push_back(all);
  }
  void see(const Aggregation& aggregation, TimeRange times) {
    if (aggregation.parameter) walk(*aggregation.parameter, times);
    walk(*aggregation.expr, times);
  }
  void see(const Binary& binary, TimeRange times) {
    walk(*binary.left, times);
    walk(*binary.right, times);
  }
  void see(const Unary& unary, TimeRange times) { walk(*unary.operand, times); }
  void see(const Paren& paren, TimeRange times) { walk(*paren.expr, times); }

  TimeRange shifted(TimeRange times, const TimeShift& shift, Duration length) const {
    switch (shift.at) {
      case TimeShift::At::kNone:
        break;
      case TimeShift::At::kStart:  // of the whole query, also inside a subquery
        times = {evaluation_.start_ms, evaluation_.start_ms};
        break;
      case TimeShift::At::kEnd:
        times = {evaluation_.end_ms, evaluation_.end_ms};
        break;
      case TimeShift::At::kTimestamp:
        times = {shift.timestamp_ms, shift.timestamp_ms};
        break;
    }
    if (shift.offset_expr) return {-kFar, kFar};
    const TimestampMs offset_ms = ms(shift.offset);
    return {bounded(times.from_ms) - offset_ms - ms(length), bounded(times.to_ms) - offset_ms};
  }

  const Evaluation& evaluation_;
  std::vector<TimeRange>& found_;
};

}  // namespace

std::vector<TimeRange> selector_ranges(const Expr& expr, const Evaluation& evaluation) {
  std::vector<TimeRange> found;
  RangeWalk(evaluation, found).walk(expr, {evaluation.start_ms, evaluation.end_ms});
  return found;
}

}  // namespace vigia::promql
