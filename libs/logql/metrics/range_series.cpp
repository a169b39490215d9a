#include "libs/logql/metrics/range_series.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/metrics/line_groups.hpp"
#include "libs/logql/metrics/window_functions.hpp"

namespace vigia::logql::metrics {
namespace {

using pipeline::LineLabels;
using pipeline::Pipeline;
using pipeline::StoredLine;

/// Sums of times, ranges and offsets, which may pass 64 bits.
__extension__ using WideTime = __int128;

const UnwrapStage* unwrap_of(const RangeAggregation& made) {
  for (const Stage& stage : made.logs.stages) {
    if (const auto* unwrap = std::get_if<UnwrapStage>(&stage)) return unwrap;
  }
  return nullptr;
}

/// Times before 1678 and behind 2262 are no times of lines.
std::int64_t saturated(WideTime time) {
  constexpr WideTime kMin = std::numeric_limits<std::int64_t>::min();
  constexpr WideTime kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(time, kMin, kMax));
}

/// The windows of the steps: (at(k) - offset - range, at(k) - offset].
class Windows {
 public:
  Windows(const RangeAggregation& made, const Steps& steps)
      : steps_(steps),
        range_(made.range.count()),
        offset_(made.offset.value_or(Duration(0)).count()) {}

  std::int64_t first_after() const { return saturated(end_of(0) - range_); }
  std::int64_t last_until() const { return saturated(end_of(steps_.count - 1)); }
  std::int64_t after(std::size_t step) const { return saturated(end_of(step) - range_); }
  std::int64_t until(std::size_t step) const { return saturated(end_of(step)); }

  /// The steps whose windows hold the time: from the first one on, and the first behind them.
  std::pair<std::size_t, std::size_t> steps_of(std::int64_t time_ns) const {
    const WideTime since = time_ns - end_of(0);  // of the first window's end
    return {bounded(ceiling(since)), bounded(ceiling(since + range_))};
  }

 private:
  WideTime end_of(std::size_t step) const { return WideTime{steps_.at(step)} - offset_; }
  WideTime ceiling(WideTime since) const {
    return since <= 0 ? 0 : (since + steps_.step_ns - 1) / steps_.step_ns;
  }
  std::size_t bounded(WideTime step) const {
    return static_cast<std::size_t>(std::min<WideTime>(step, static_cast<WideTime>(steps_.count)));
  }

  const Steps& steps_;
  WideTime range_;
  WideTime offset_;
};

/// What becomes of the lines that pass.
class LineTaker {
 public:
  virtual ~LineTaker() = default;
  virtual Result<void> take(const StoredLine& line, const Pipeline& run) = 0;
};

/// Counts lines or bytes: each adds to the first step that sees it and is taken off behind the last
/// one. Whole numbers, so that nothing is lost.
class LineCounts : public LineTaker {
 public:
  LineCounts(const RangeAggregation& made, const LabelGrouping& grouping, EvaluationRun& run)
      : made_(made),
        run_(run),
        windows_(made, run.steps),
        groups_(grouping, ""),
        held_(run.holding()) {}

  Result<void> take(const StoredLine& line, const Pipeline& run) override {
    const auto steps = windows_.steps_of(line.time_ns);
    if (steps.first >= steps.second) return {};
    return add(steps, groups_.number_of(run.labels()),
               {1, static_cast<std::int64_t>(are_bytes() ? run.text().size() : 1)});
  }

  Result<void> take(const CountedLines& counted) {
    const auto steps = windows_.steps_of(counted.time_ns);
    if (steps.first >= steps.second) return {};
    return add(steps, groups_.number_of(*counted.labels),
               {static_cast<std::int64_t>(counted.lines),
                static_cast<std::int64_t>(are_bytes() ? counted.bytes : counted.lines)});
  }

  Result<StepVector> finish() {
    const bool is_rate = made_.op == RangeOperator::kRate || made_.op == RangeOperator::kBytesRate;
    const double divisor = is_rate ? static_cast<double>(made_.range.count()) / 1e9 : 1;
    StepVector vector;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const std::size_t steps = run_.steps.count;
      if (const auto done = run_.look_at(steps); !done) return forward(done);
      StepSeries series{groups_.labels()[i], {}};
      Change now;
      for (std::size_t step = 0; step < steps; ++step) {
        now.lines += changes_[i][step].lines;
        now.amount += changes_[i][step].amount;
        if (now.lines == 0) continue;
        series.values.push_back(
            {static_cast<std::uint32_t>(step), static_cast<double>(now.amount) / divisor});
      }
      changes_[i] = {};
      series.values.shrink_to_fit();
      vector.series.push_back(std::move(series));
    }
    vector.held = std::move(held_);
    vector.held.shrink_to(bytes_of(vector));
    return vector;
  }

 private:
  struct Change {
    std::int64_t lines = 0;
    std::int64_t amount = 0;
  };

  bool are_bytes() const {
    return made_.op == RangeOperator::kBytesOverTime || made_.op == RangeOperator::kBytesRate;
  }

  /// `steps`: that see them, and the first behind.
  Result<void> add(std::pair<std::size_t, std::size_t> steps, Result<std::size_t> number,
                   const Change& change) {
    if (!number) return forward(number);
    if (*number == changes_.size()) {
      if (const auto done = add_series(); !done) return done;
    }
    auto& changes = changes_[*number];
    changes[steps.first].lines += change.lines;
    changes[steps.first].amount += change.amount;
    changes[steps.second].lines -= change.lines;
    changes[steps.second].amount -= change.amount;
    return {};
  }

  Result<void> add_series() {
    const std::size_t steps = run_.steps.count;
    if (const auto done = check_values((changes_.size() + 1) * steps); !done) return done;
    const std::size_t bytes = bytes_of(groups_.labels().back()) + (steps + 1) * sizeof(Change);
    if (const auto done = held_.take(bytes); !done) return done;
    changes_.emplace_back(steps + 1);
    return {};
  }

  const RangeAggregation& made_;
  EvaluationRun& run_;
  Windows windows_;
  LineGroups groups_;
  PartMemory held_;
  std::vector<std::vector<Change>> changes_;
};

/// Keeps unwrapped values until all are there, then goes over the windows.
class UnwrappedValues : public LineTaker {
 public:
  UnwrappedValues(const RangeAggregation& made, const LabelGrouping& grouping, EvaluationRun& run)
      : made_(made),
        run_(run),
        windows_(made, run.steps),
        groups_(grouping, unwrap_of(made)->label),
        held_(run.holding()),
        unwrapped_(run.holding()) {}

  Result<void> take(const StoredLine& line, const Pipeline& run) override {
    const auto number = groups_.number_of(run.labels());
    if (!number) return forward(number);
    if (*number == values_.size()) {
      const std::size_t steps = run_.steps.count;
      if (const auto done = check_values((values_.size() + 1) * steps); !done) return done;
      const std::size_t bytes = bytes_of(groups_.labels().back()) + steps * sizeof(StepValue);
      if (const auto done = held_.take(bytes); !done) return done;
      values_.emplace_back();
    }
    if (++kept_ > kUnwrappedSamplesMax) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("the query unwraps more than {} values: filter the lines, or ask for "
                              "a shorter range of time",
                              kUnwrappedSamplesMax));
    }
    if (const auto done = unwrapped_.take(sizeof(TimedValue)); !done) return done;
    values_[*number].push_back({line.time_ns, run.sample().value_or(0)});
    return {};
  }

  Result<StepVector> finish() {
    StepVector vector;
    std::uint64_t looks = 0;
    std::vector<double> scratch;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      StepSeries series{groups_.labels()[i], {}};
      const std::span<const TimedValue> all = values_[i];
      std::size_t begin = 0;
      std::size_t end = 0;
      for (std::size_t step = 0; step < run_.steps.count; ++step) {
        if (const auto done = run_.look_at(end - begin + 1); !done) return forward(done);
        while (end < all.size() && all[end].time_ns <= windows_.until(step)) ++end;
        while (begin < end && all[begin].time_ns <= windows_.after(step)) ++begin;
        if (begin == end) continue;
        looks += end - begin;
        if (looks > kWindowLooksMax) return too_many_looks();
        series.values.push_back({static_cast<std::uint32_t>(step),
                                 over_window(made_, all.subspan(begin, end - begin), scratch)});
      }
      series.values.shrink_to_fit();
      vector.series.push_back(std::move(series));
    }
    vector.held = std::move(held_);
    vector.held.shrink_to(bytes_of(vector));
    return vector;
  }

 private:
  static tl::unexpected<Error> too_many_looks() {
    return fail(ErrorCode::kTooLarge,
                "the windows of the query overlap too often: use a larger step or a shorter range");
  }

  const RangeAggregation& made_;
  EvaluationRun& run_;
  Windows windows_;
  LineGroups groups_;
  PartMemory held_;  // of the series; and of the values
  PartMemory unwrapped_;
  std::vector<std::vector<TimedValue>> values_;
  std::size_t kept_ = 0;
};

Error pipeline_error(const LineLabels& labels) {
  const Labels all = labels.all();
  return Error{ErrorCode::kInvalid,
               fmt::format("pipeline error: '{}' for series: '{:.1024}' ({:.512}). To leave such "
                           "lines out add the label filter | __error__=\"\"",
                           all.get(pipeline::kErrorLabel), to_string(all),
                           all.get(pipeline::kErrorDetailsLabel)),
               std::nullopt};
}

Result<void> read_lines(const RangeAggregation& made, EvaluationRun& run_of_query,
                        LineTaker& taker) {
  const Windows windows(made, run_of_query.steps);
  auto run = Pipeline::compile(made.logs);
  if (!run) return forward(run);
  auto source = run_of_query.open(made.logs, windows.first_after(), windows.last_until());
  if (!source) return forward(source);
  while (true) {
    const auto line = (*source)->next();
    if (!line) return forward(line);
    if (*line == nullptr) return {};
    // Stages look at more of a line than at a value.
    if (const auto done = run_of_query.look_at(1 + (*line)->text.size()); !done) return done;
    if (!run->run(**line)) continue;
    if (run->labels().has_failed()) return tl::unexpected<Error>(pipeline_error(run->labels()));
    const auto done = taker.take(**line, *run);
    if (!done) return done;
  }
}

/// The labels that absent_over_time shows: those that the selector asks for by "=", once. The
/// customer's is the fence's matter.
Labels absent_labels(const LogSelector& logs) {
  std::vector<Label> wanted;
  for (const Matcher& matcher : logs.matchers) {
    const auto is_same_name = [&](const Matcher& other) { return other.name == matcher.name; };
    const bool is_alone =
        std::count_if(logs.matchers.begin(), logs.matchers.end(), is_same_name) == 1;
    if (matcher.type == MatchType::kEqual && is_alone && matcher.name != kCustomerLabel) {
      wanted.push_back(Label{matcher.name, matcher.value});
    }
  }
  return Labels::from(std::move(wanted));
}

Result<StepVector> absent_of(const StepVector& present, const LogSelector& logs,
                             EvaluationRun& run) {
  const Steps& steps = run.steps;
  std::vector<bool> is_there(steps.count);
  for (const StepSeries& series : present.series) {
    for (const StepValue& value : series.values) is_there[value.step] = true;
  }
  StepSeries absent{absent_labels(logs), {}};
  for (std::size_t step = 0; step < steps.count; ++step) {
    if (!is_there[step]) absent.values.push_back({static_cast<std::uint32_t>(step), 1});
  }
  StepVector vector;
  if (absent.values.empty()) return vector;
  vector.held = run.holding();
  if (const auto done = vector.held.take(bytes_of(absent)); !done) return forward(done);
  vector.series.push_back(std::move(absent));
  return vector;
}

/// Lines, or their bytes.
bool counts_lines(const RangeAggregation& made) {
  switch (made.op) {
    case RangeOperator::kBytesOverTime:
    case RangeOperator::kBytesRate:
    case RangeOperator::kCountOverTime:
      return true;
    case RangeOperator::kRate:
      return unwrap_of(made) == nullptr;
    default:
      return false;
  }
}

/// Windows whose edges are those of all steps, so that no window of a step holds a part of one of
/// them. Nothing where lines have to be read.
std::optional<CountAsk> count_ask(const RangeAggregation& made, const LabelGrouping& grouping,
                                  const EvaluationRun& run) {
  constexpr std::int64_t kWindowsMax = 1'000'000;
  const auto& stages = made.logs.stages;
  const bool are_filters = std::all_of(stages.begin(), stages.end(), [](const Stage& stage) {
    return std::holds_alternative<LineFilter>(stage);
  });
  if (!run.count || !are_filters || grouping.kind != promql::Aggregation::Grouping::kBy) {
    return std::nullopt;
  }
  const Windows windows(made, run.steps);
  const std::int64_t range = made.range.count();
  CountAsk ask{made.logs, grouping.labels, windows.first_after(), windows.last_until(),
               run.steps.count == 1 ? range : std::gcd(range, run.steps.step_ns)};
  const bool is_in_time = ask.after_ns >= 0 && ask.until_ns > ask.after_ns &&
                          ask.until_ns < std::numeric_limits<std::int64_t>::max();
  if (!is_in_time || ask.width_ns <= 0) return std::nullopt;
  if ((ask.until_ns - ask.after_ns) / ask.width_ns > kWindowsMax) return std::nullopt;
  return ask;
}

/// Nothing where lines have to be read.
Result<std::optional<StepVector>> counted_elsewhere(const RangeAggregation& made,
                                                    const LabelGrouping& grouping,
                                                    EvaluationRun& run) {
  const auto ask = count_ask(made, grouping, run);
  if (!ask) return std::optional<StepVector>();
  // As for lines that are read.
  if (const auto compiled = Pipeline::compile(made.logs); !compiled) return forward(compiled);
  LineCounts counts(made, grouping, run);
  const auto are_all = run.count(*ask, [&](const CountedLines& some) -> Result<void> {
    if (const auto done = run.look_at(1); !done) return done;
    return counts.take(some);
  });
  if (!are_all) return forward(are_all);
  if (!*are_all) return std::optional<StepVector>();
  auto vector = counts.finish();
  if (!vector) return forward(vector);
  return std::optional<StepVector>(std::move(*vector));
}

Result<StepVector> counted(const RangeAggregation& made, const LabelGrouping& grouping,
                           EvaluationRun& run) {
  auto elsewhere = counted_elsewhere(made, grouping, run);
  if (!elsewhere) return forward(elsewhere);
  if (*elsewhere) return std::move(**elsewhere);
  LineCounts counts(made, grouping, run);
  const auto done = read_lines(made, run, counts);
  if (!done) return forward(done);
  return counts.finish();
}

}  // namespace

bool can_be_merged(VectorOperator op, const LabelGrouping& grouping, const RangeAggregation& made) {
  if (made.grouping.kind != promql::Aggregation::Grouping::kNone) return false;
  const UnwrapStage* unwrap = unwrap_of(made);
  // The function leaves the unwrapped label out, so that nothing can be grouped by it.
  const auto& names = grouping.labels;
  const bool is_named =
      unwrap != nullptr && std::find(names.begin(), names.end(), unwrap->label) != names.end();
  if (is_named) return false;
  switch (op) {
    case VectorOperator::kSum:
      return counts_lines(made) || made.op == RangeOperator::kRate ||
             made.op == RangeOperator::kSumOverTime;
    case VectorOperator::kMax:
      return made.op == RangeOperator::kMaxOverTime;
    case VectorOperator::kMin:
      return made.op == RangeOperator::kMinOverTime;
    default:
      return false;
  }
}

Result<StepVector> evaluate_range(const RangeAggregation& made, const LabelGrouping& grouping,
                                  EvaluationRun& run) {
  if (made.op == RangeOperator::kAbsentOverTime) {
    const LabelGrouping none{promql::Aggregation::Grouping::kBy, {}};
    const auto present = counted(made, none, run);
    if (!present) return forward(present);
    return absent_of(*present, made.logs, run);
  }
  if (counts_lines(made)) return counted(made, grouping, run);
  UnwrappedValues values(made, grouping, run);
  const auto done = read_lines(made, run, values);
  if (!done) return forward(done);
  return values.finish();
}

}  // namespace vigia::logql::metrics
