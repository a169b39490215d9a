#include "libs/logql/metrics/aggregate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace vigia::logql::metrics {
namespace {

/// What is known of one group at one step.
struct Folded {
  std::size_t count = 0;
  double value = 0;    // sum, mean, largest or smallest
  double squares = 0;  // of differences from the mean
};

void fold(VectorOperator op, Folded& folded, double value) {
  ++folded.count;
  const bool is_first = folded.count == 1;
  switch (op) {
    case VectorOperator::kSum:
      folded.value += value;
      return;
    case VectorOperator::kMax:
      if (is_first || value > folded.value || std::isnan(folded.value)) folded.value = value;
      return;
    case VectorOperator::kMin:
      if (is_first || value < folded.value || std::isnan(folded.value)) folded.value = value;
      return;
    default: {
      const double difference = value - folded.value;
      folded.value += difference / static_cast<double>(folded.count);
      folded.squares += difference * (value - folded.value);
    }
  }
}

double value_of(VectorOperator op, const Folded& folded) {
  const auto count = static_cast<double>(folded.count);
  if (op == VectorOperator::kCount) return count;
  if (op == VectorOperator::kStdvar) return folded.squares / count;
  if (op == VectorOperator::kStddev) return std::sqrt(folded.squares / count);
  return folded.value;
}

using SeriesGroups = std::map<Labels, std::vector<std::size_t>>;

SeriesGroups groups_of(const StepVector& input, const LabelGrouping& grouping) {
  SeriesGroups groups;
  for (std::size_t i = 0; i < input.series.size(); ++i) {
    groups[grouped(input.series[i].labels, grouping)].push_back(i);
  }
  return groups;
}

std::size_t values_of(const StepVector& input, const std::vector<std::size_t>& members) {
  std::size_t values = 0;
  for (const std::size_t member : members) values += input.series[member].values.size();
  return values;
}

Result<StepVector> folded_groups(const VectorAggregation& made, const StepVector& input,
                                 EvaluationRun& run) {
  const Steps& steps = run.steps;
  StepVector output;
  output.held = run.holding();
  std::size_t values = 0;
  for (const auto& [labels, members] : groups_of(input, made.grouping)) {
    const auto goes_on = run.look_at(values_of(input, members) + steps.count);
    if (!goes_on) return forward(goes_on);
    std::vector<Folded> folded(steps.count);
    for (const std::size_t member : members) {
      for (const StepValue& value : input.series[member].values) {
        fold(made.op, folded[value.step], value.value);
      }
    }
    StepSeries series{labels, {}};
    for (std::size_t step = 0; step < steps.count; ++step) {
      if (folded[step].count == 0) continue;
      series.values.push_back({static_cast<std::uint32_t>(step), value_of(made.op, folded[step])});
    }
    values += series.values.size();
    series.values.shrink_to_fit();
    if (const auto done = check_values(values); !done) return forward(done);
    if (const auto done = output.held.take(bytes_of(series)); !done) return forward(done);
    output.series.push_back(std::move(series));
  }
  return output;
}

/// NaN behind every number, whichever way.
bool comes_before(double left, double right, bool is_descending) {
  if (std::isnan(left) || std::isnan(right)) return !std::isnan(left) && std::isnan(right);
  return is_descending ? left > right : left < right;
}

/// Of each group at each step the first `made.parameter`.
Result<StepVector> chosen(const VectorAggregation& made, const StepVector& input,
                          EvaluationRun& run) {
  const Steps& steps = run.steps;
  const bool is_top = made.op == VectorOperator::kTopk;
  StepVector output;
  // Of the values of all groups, which are those of the input, and of what is chosen of them.
  output.held = run.holding();
  if (const auto done = output.held.take(2 * bytes_of(input)); !done) return forward(done);
  output.series.resize(input.series.size());
  for (std::size_t i = 0; i < input.series.size(); ++i) {
    output.series[i].labels = input.series[i].labels;
  }
  for (const auto& [labels, members] : groups_of(input, made.grouping)) {
    const auto goes_on = run.look_at(values_of(input, members) + steps.count);
    if (!goes_on) return forward(goes_on);
    std::vector<std::vector<std::pair<double, std::size_t>>> by_step(steps.count);
    for (const std::size_t member : members) {
      for (const StepValue& value : input.series[member].values) {
        by_step[value.step].emplace_back(value.value, member);
      }
    }
    for (std::size_t step = 0; step < steps.count; ++step) {
      auto& all = by_step[step];
      std::stable_sort(all.begin(), all.end(), [&](const auto& left, const auto& right) {
        return comes_before(left.first, right.first, is_top);
      });
      all.resize(std::min<std::size_t>(all.size(), made.parameter.value_or(0)));
      for (const auto& [value, member] : all) {
        output.series[member].values.push_back({static_cast<std::uint32_t>(step), value});
      }
    }
  }
  std::erase_if(output.series, [](const StepSeries& series) { return series.values.empty(); });
  output.held.shrink_to(bytes_of(output));
  return output;
}

void put_in_order(StepVector& vector, bool is_descending) {
  std::stable_sort(vector.series.begin(), vector.series.end(),
                   [&](const StepSeries& left, const StepSeries& right) {
                     return comes_before(left.values.front().value, right.values.front().value,
                                         is_descending);
                   });
  vector.is_ordered = true;
}

}  // namespace

Result<StepVector> aggregate(const VectorAggregation& made, StepVector input, EvaluationRun& run) {
  const bool is_choice = made.op == VectorOperator::kTopk || made.op == VectorOperator::kBottomk;
  const bool is_sort = made.op == VectorOperator::kSort || made.op == VectorOperator::kSortDesc;
  if (!is_choice && !is_sort) return folded_groups(made, input, run);
  StepVector output = std::move(input);
  if (is_choice) {
    auto some = chosen(made, output, run);
    if (!some) return some;
    output = std::move(*some);
  }
  std::erase_if(output.series, [](const StepSeries& series) { return series.values.empty(); });
  const bool is_descending =
      made.op == VectorOperator::kTopk || made.op == VectorOperator::kSortDesc;
  if (run.steps.count == 1) put_in_order(output, is_descending);
  return output;
}

}  // namespace vigia::logql::metrics
