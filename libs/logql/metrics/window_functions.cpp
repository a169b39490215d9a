#include "libs/logql/metrics/window_functions.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "libs/base/check.hpp"

namespace vigia::logql::metrics {
namespace {

using WindowValues = std::span<const TimedValue>;

double sum_of(WindowValues window) {
  double sum = 0;
  for (const TimedValue& one : window) sum += one.value;
  return sum;
}

/// The largest with `wants_more` as std::greater, the smallest with std::less; NaN only of NaN.
template <typename WantsMore>
double most_of(WindowValues window, const WantsMore& wants_more) {
  double most = window.front().value;
  for (const TimedValue& one : window) {
    if (wants_more(one.value, most) || std::isnan(most)) most = one.value;
  }
  return most;
}

/// By Welford's sums, so that large values with small differences keep them.
double variance_of(WindowValues window) {
  double mean = 0;
  double squares = 0;
  double count = 0;
  for (const TimedValue& one : window) {
    ++count;
    const double difference = one.value - mean;
    mean += difference / count;
    squares += difference * (one.value - mean);
  }
  return squares / count;
}

double mean_of(WindowValues window) {
  double mean = 0;
  double count = 0;
  for (const TimedValue& one : window) {
    ++count;
    // An infinite mean stays, since infinity less infinity would be no number; but for NaN and the
    // other infinity.
    if (std::isinf(mean) && (one.value == mean || std::isfinite(one.value))) continue;
    mean += one.value / count - mean / count;
  }
  return mean;
}

double quantile_of(double q, WindowValues window, std::vector<double>& values) {
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  values.clear();
  for (const TimedValue& one : window) {
    if (std::isnan(one.value)) return one.value;  // NaN has no place in an order
    values.push_back(one.value);
  }
  std::sort(values.begin(), values.end());
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<std::size_t>(rank);
  const std::size_t upper = std::min(lower + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  if (weight == 0) return values[lower];  // an infinite neighbour times 0 is no number
  return values[lower] * (1 - weight) + values[upper] * weight;
}

double increase_of(WindowValues window) {
  double increase = window.back().value - window.front().value;
  for (std::size_t i = 1; i < window.size(); ++i) {
    if (window[i].value < window[i - 1].value) increase += window[i - 1].value;
  }
  return increase;
}

}  // namespace

double over_window(const RangeAggregation& made, WindowValues window,
                   std::vector<double>& scratch) {
  const double seconds = static_cast<double>(made.range.count()) / 1e9;
  switch (made.op) {
    case RangeOperator::kAvgOverTime:
      return mean_of(window);
    case RangeOperator::kFirstOverTime:
      return window.front().value;
    case RangeOperator::kLastOverTime:
      return window.back().value;
    case RangeOperator::kMaxOverTime:
      return most_of(window, std::greater<>());
    case RangeOperator::kMinOverTime:
      return most_of(window, std::less<>());
    case RangeOperator::kQuantileOverTime:
      return quantile_of(made.parameter.value_or(0), window, scratch);
    case RangeOperator::kRate:
      return sum_of(window) / seconds;
    case RangeOperator::kRateCounter:
      return increase_of(window) / seconds;
    case RangeOperator::kStddevOverTime:
      return std::sqrt(variance_of(window));
    case RangeOperator::kStdvarOverTime:
      return variance_of(window);
    case RangeOperator::kSumOverTime:
      return sum_of(window);
    case RangeOperator::kAbsentOverTime:
    case RangeOperator::kBytesOverTime:
    case RangeOperator::kBytesRate:
    case RangeOperator::kCountOverTime:
      break;
  }
  CHECK(false);  // these count lines, and the parser lets them have no unwrap
}

}  // namespace vigia::logql::metrics
