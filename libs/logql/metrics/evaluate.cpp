#include "libs/logql/metrics/evaluate.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "libs/logql/fence.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/metrics/aggregate.hpp"
#include "libs/logql/metrics/join.hpp"
#include "libs/logql/metrics/range_series.hpp"
#include "libs/logql/metrics/step_series.hpp"
#include "libs/logql/metrics/union.hpp"
#include "libs/logql/pipeline/line_regex.hpp"

namespace vigia::logql::metrics {
namespace {

using PartValue = std::variant<double, StepVector>;
using Grouping = promql::Aggregation::Grouping;

constexpr std::int64_t kNsPerMs = 1'000'000;

Result<Steps> steps_of(const EvaluationTimes& times) {
  if (times.end_ns < times.start_ns) return fail(ErrorCode::kInvalid, "end is before start");
  Steps steps{times.start_ns, 1, 1};
  if (times.end_ns == times.start_ns) return steps;
  if (times.step_ns <= 0) return fail(ErrorCode::kInvalid, "step must be greater than 0");
  // As numbers without a sign, since the difference may pass 63 bits.
  const std::uint64_t length =
      static_cast<std::uint64_t>(times.end_ns) - static_cast<std::uint64_t>(times.start_ns);
  const std::uint64_t steps_behind = length / static_cast<std::uint64_t>(times.step_ns);
  if (steps_behind >= kMetricStepsMax) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("exceeded maximum resolution of {} points per timeseries: use a larger "
                            "step",
                            kMetricStepsMax));
  }
  steps.step_ns = times.step_ns;
  steps.count = static_cast<std::size_t>(steps_behind) + 1;
  return steps;
}

/// Goes over the tree; its recursion is as deep as the tree, which the parser bounds.
class Evaluator {
 public:
  explicit Evaluator(EvaluationRun& run) : run_(run) {}

  Result<PartValue> evaluate(const LogExpr& expr) {
    if (const auto done = run_.go_on(); !done) return forward(done);
    return std::visit([this](const auto& node) { return of(node); }, expr.node);
  }

 private:
  Result<PartValue> of(const LogSelector& /*logs*/) {
    return fail(ErrorCode::kInvalid, "log lines are no samples: count them first");
  }

  Result<PartValue> of(const RangeAggregation& made) {
    return widened(evaluate_range(made, made.grouping, run_));
  }

  Result<PartValue> of(const VectorAggregation& made) {
    if (const auto* range = merged_in(made)) {
      LabelGrouping grouping = made.grouping;
      if (grouping.kind == Grouping::kNone) grouping.kind = Grouping::kBy;
      return widened(evaluate_range(*range, grouping, run_));
    }
    auto input = vector_of(*made.expr);
    if (!input) return forward(input);
    return widened(aggregate(made, std::move(*input), run_));
  }

  Result<PartValue> of(const ConstantExpr& constant) {
    if (constant.is_scalar) return PartValue(constant.value);
    StepSeries series;
    series.values.reserve(run_.steps.count);
    for (std::size_t step = 0; step < run_.steps.count; ++step) {
      series.values.push_back({static_cast<std::uint32_t>(step), constant.value});
    }
    if (const auto done = run_.look_at(run_.steps.count); !done) return forward(done);
    StepVector vector;
    vector.held = run_.holding();
    if (const auto done = vector.held.take(bytes_of(series)); !done) return forward(done);
    vector.series.push_back(std::move(series));
    return PartValue(std::move(vector));
  }

  Result<PartValue> of(const LabelReplaceExpr& made) {
    // As Prometheus anchors it; the dot takes line breaks.
    pipeline::RegexMemory memory;
    const auto regex = pipeline::LineRegex::compile("^(?s:" + made.regex + ")$", memory);
    if (!regex) return forward(regex);
    auto vector = vector_of(*made.expr);
    if (!vector) return forward(vector);
    const pipeline::Replacement replacement(made.replacement, *regex, false);
    std::vector<std::string_view> groups(regex->group_count() + 1);
    std::map<Labels, bool> seen;
    for (StepSeries& series : vector->series) {
      if (const auto done = run_.look_at(1 + made.regex.size()); !done) return forward(done);
      const std::string from(series.labels.get(made.from));
      if (regex->find(from, 0, groups)) {
        std::string value;
        replacement.append(value, groups);
        label_bytes_ += value.size();
        if (const auto done = check_series(0, label_bytes_); !done) return forward(done);
        const std::size_t bytes = sizeof(Label) + made.to.size() + value.size();
        if (const auto done = vector->held.take(bytes); !done) return forward(done);
        series.labels.set(made.to, value);
      }
      if (!seen.emplace(series.labels, true).second) {
        return fail(ErrorCode::kInvalid, "label_replace makes two series with the same labels");
      }
    }
    return PartValue(std::move(*vector));
  }

  /// `a or b or c`, whose sides go into one union from the left, each once.
  Result<PartValue> of_union(const MetricPair& last) {
    std::vector<const MetricPair*> chain{&last};
    while (const auto* pair = std::get_if<MetricPair>(&ungrouped(*chain.back()->left).node)) {
      if (pair->op != promql::BinaryOperator::kOr || !is_alike(pair->matching, last.matching))
        break;
      chain.push_back(pair);
    }
    Union all(last.matching, run_);
    auto side = vector_of(*chain.back()->left);
    if (!side) return forward(side);
    if (const auto done = all.add(std::move(*side)); !done) return forward(done);
    for (auto pair = chain.rbegin(); pair != chain.rend(); ++pair) {
      side = vector_of(*(*pair)->right);
      if (!side) return forward(side);
      if (const auto done = all.add(std::move(*side)); !done) return forward(done);
    }
    return PartValue(all.finish());
  }

  static bool is_alike(const promql::VectorMatching& left, const promql::VectorMatching& right) {
    return left.scope == right.scope && left.labels == right.labels;
  }

  static const LogExpr& ungrouped(const LogExpr& expr) {
    const LogExpr* inner = &expr;
    while (const auto* grouped = std::get_if<GroupedExpr>(&inner->node))
      inner = grouped->expr.get();
    return *inner;
  }

  Result<PartValue> of(const MetricPair& pair) {
    if (pair.op == promql::BinaryOperator::kOr) return of_union(pair);
    auto left = evaluate(*pair.left);
    if (!left) return left;
    auto right = evaluate(*pair.right);
    if (!right) return right;
    const auto* left_number = std::get_if<double>(&*left);
    const auto* right_number = std::get_if<double>(&*right);
    if (left_number != nullptr && right_number != nullptr) {
      return PartValue(calculate(pair.op, *left_number, *right_number));
    }
    if (left_number != nullptr) {
      return PartValue(
          join_number(pair, std::move(std::get<StepVector>(*right)), *left_number, true));
    }
    if (right_number != nullptr) {
      return PartValue(
          join_number(pair, std::move(std::get<StepVector>(*left)), *right_number, false));
    }
    return widened(join_vectors(pair, std::move(std::get<StepVector>(*left)),
                                std::move(std::get<StepVector>(*right)), run_));
  }

  Result<PartValue> of(const GroupedExpr& grouped) { return evaluate(*grouped.expr); }

  static Result<PartValue> widened(Result<StepVector> vector) {
    if (!vector) return forward(vector);
    return PartValue(std::move(*vector));
  }

  Result<StepVector> vector_of(const LogExpr& expr) {
    auto value = evaluate(expr);
    if (!value) return forward(value);
    auto* vector = std::get_if<StepVector>(&*value);
    if (vector == nullptr) return fail(ErrorCode::kInternal, "a number where a vector should be");
    return std::move(*vector);
  }

  /// The range within an aggregation that can be made by the aggregation's labels at once, or null.
  static const RangeAggregation* merged_in(const VectorAggregation& made) {
    const auto* range = std::get_if<RangeAggregation>(&ungrouped(*made.expr).node);
    return range != nullptr && can_be_merged(made.op, made.grouping, *range) ? range : nullptr;
  }

  EvaluationRun& run_;
  std::size_t label_bytes_ = 0;
};

/// Points in the place of values.
MetricSeries shown(StepSeries series, const Steps& steps) {
  MetricSeries made{std::move(series.labels), {}};
  made.points.reserve(series.values.size());
  for (const StepValue& value : series.values) {
    made.points.push_back({steps.at(value.step) / kNsPerMs, value.value});
  }
  return made;
}

}  // namespace

Result<MetricAnswer> evaluate(const LogExpr& expr, const EvaluationTimes& times,
                              const OpenLines& open, const GoOn& go_on, const CountLines& count) {
  const auto steps = steps_of(times);
  if (!steps) return forward(steps);
  std::size_t selectors = 0;
  for_each_logs(expr, [&](const LogSelector& /*logs*/) { ++selectors; });
  if (selectors > kMetricSelectorsMax) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the query reads more than {} selectors", kMetricSelectorsMax));
  }
  EvaluationRun run(*steps, open, go_on, count);  // parts must not outlive it
  auto value = Evaluator(run).evaluate(expr);
  if (!value) return forward(value);
  MetricAnswer answer;
  if (const auto* number = std::get_if<double>(&*value)) {
    answer.is_scalar = true;
    auto& points = answer.series.emplace_back().points;
    for (std::size_t step = 0; step < steps->count; ++step) {
      points.push_back({steps->at(step) / kNsPerMs, *number});
    }
    return answer;
  }
  auto& vector = std::get<StepVector>(*value);
  if (!vector.is_ordered) {
    std::sort(vector.series.begin(), vector.series.end(),
              [](const auto& left, const auto& right) { return left.labels < right.labels; });
  }
  for (StepSeries& series : vector.series) {
    if (!series.values.empty()) answer.series.push_back(shown(std::move(series), *steps));
  }
  return answer;
}

}  // namespace vigia::logql::metrics
