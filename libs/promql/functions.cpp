#include "libs/promql/functions.hpp"

#include <algorithm>
#include <array>

#include "libs/promql/internal/text.hpp"

namespace vigia::promql {
namespace {

constexpr auto kS = ValueType::kScalar;
constexpr auto kV = ValueType::kVector;
constexpr auto kM = ValueType::kMatrix;
constexpr auto kT = ValueType::kString;

constexpr std::array<ValueType, 1> kOneVector{kV};
constexpr std::array<ValueType, 1> kOneMatrix{kM};
constexpr std::array<ValueType, 1> kOneScalar{kS};
constexpr std::array<ValueType, 2> kVectorScalar{kV, kS};
constexpr std::array<ValueType, 3> kVectorTwoScalars{kV, kS, kS};
constexpr std::array<ValueType, 2> kVectorString{kV, kT};
constexpr std::array<ValueType, 2> kTwoVectors{kV, kV};
constexpr std::array<ValueType, 2> kScalarVector{kS, kV};
constexpr std::array<ValueType, 3> kTwoScalarsVector{kS, kS, kV};
constexpr std::array<ValueType, 2> kMatrixScalar{kM, kS};
constexpr std::array<ValueType, 3> kMatrixTwoScalars{kM, kS, kS};
constexpr std::array<ValueType, 2> kScalarMatrix{kS, kM};
constexpr std::array<ValueType, 5> kLabelReplace{kV, kT, kT, kT, kT};
constexpr std::array<ValueType, 4> kLabelJoin{kV, kT, kT, kT};

constexpr Function vector_function(std::string_view name) { return {name, kV, kOneVector}; }
constexpr Function range_function(std::string_view name) { return {name, kV, kOneMatrix}; }
constexpr Function date_function(std::string_view name) { return {name, kV, kOneVector, 1}; }
constexpr Function only_in_3(Function function) {
  function.in_prometheus2 = false;
  return function;
}
constexpr Function only_in_2(Function function) {
  function.in_prometheus3 = false;
  return function;
}
constexpr Function unfenceable(Function function) {
  function.is_fenceable = false;
  return function;
}

// Sorted by name in byte order: looked up by bisection (a test holds it).
constexpr std::array kFunctions{
    vector_function("abs"),
    vector_function("absent"),
    range_function("absent_over_time"),
    vector_function("acos"),
    vector_function("acosh"),
    vector_function("asin"),
    vector_function("asinh"),
    vector_function("atan"),
    vector_function("atanh"),
    range_function("avg_over_time"),
    vector_function("ceil"),
    range_function("changes"),
    Function{"clamp", kV, kVectorTwoScalars},
    Function{"clamp_max", kV, kVectorScalar},
    Function{"clamp_min", kV, kVectorScalar},
    vector_function("cos"),
    vector_function("cosh"),
    range_function("count_over_time"),
    date_function("day_of_month"),
    date_function("day_of_week"),
    date_function("day_of_year"),
    date_function("days_in_month"),
    vector_function("deg"),
    range_function("delta"),
    range_function("deriv"),
    only_in_3(Function{"double_exponential_smoothing", kV, kMatrixTwoScalars}),
    vector_function("exp"),
    vector_function("floor"),
    only_in_3(vector_function("histogram_avg")),
    vector_function("histogram_count"),
    Function{"histogram_fraction", kV, kTwoScalarsVector},
    Function{"histogram_quantile", kV, kScalarVector},
    only_in_3(vector_function("histogram_stddev")),
    only_in_3(vector_function("histogram_stdvar")),
    vector_function("histogram_sum"),
    only_in_2(Function{"holt_winters", kV, kMatrixTwoScalars}),
    date_function("hour"),
    range_function("idelta"),
    range_function("increase"),
    // Reads target_info, or what its second argument names, beside the tree's selectors.
    unfenceable(only_in_3(Function{"info", kV, kTwoVectors, 1})),
    range_function("irate"),
    Function{"label_join", kV, kLabelJoin, -1},
    Function{"label_replace", kV, kLabelReplace},
    range_function("last_over_time"),
    vector_function("ln"),
    vector_function("log10"),
    vector_function("log2"),
    only_in_3(range_function("mad_over_time")),
    range_function("max_over_time"),
    range_function("min_over_time"),
    date_function("minute"),
    date_function("month"),
    Function{"pi", kS, {}},
    Function{"predict_linear", kV, kMatrixScalar},
    range_function("present_over_time"),
    Function{"quantile_over_time", kV, kScalarMatrix},
    vector_function("rad"),
    range_function("rate"),
    range_function("resets"),
    Function{"round", kV, kVectorScalar, 1},
    Function{"scalar", kS, kOneVector},
    vector_function("sgn"),
    vector_function("sin"),
    vector_function("sinh"),
    vector_function("sort"),
    only_in_3(Function{"sort_by_label", kV, kVectorString, -1}),
    only_in_3(Function{"sort_by_label_desc", kV, kVectorString, -1}),
    vector_function("sort_desc"),
    vector_function("sqrt"),
    range_function("stddev_over_time"),
    range_function("stdvar_over_time"),
    range_function("sum_over_time"),
    vector_function("tan"),
    vector_function("tanh"),
    Function{"time", kS, {}},
    vector_function("timestamp"),
    only_in_3(range_function("ts_of_last_over_time")),
    only_in_3(range_function("ts_of_max_over_time")),
    only_in_3(range_function("ts_of_min_over_time")),
    Function{"vector", kV, kOneScalar},
    date_function("year"),
};

static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end(),
                             [](const Function& left, const Function& right) {
                               return left.name < right.name;
                             }));

// In the order of AggregateOperator.
constexpr std::array<std::string_view, 14> kAggregates{
    "avg", "bottomk", "count",    "count_values", "group",  "limitk", "limit_ratio",
    "max", "min",     "quantile", "stddev",       "stdvar", "sum",    "topk"};

}  // namespace

std::string_view to_string(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    case ValueType::kString:
      return "string";
  }
  return "scalar";
}

const Function* find_function(std::string_view name, Dialect dialect) {
  const auto found = std::lower_bound(
      kFunctions.begin(), kFunctions.end(), name,
      [](const Function& function, std::string_view key) { return function.name < key; });
  if (found == kFunctions.end() || found->name != name) return nullptr;
  const bool known =
      dialect == Dialect::kPrometheus2 ? found->in_prometheus2 : found->in_prometheus3;
  return known ? &*found : nullptr;
}

std::string_view to_string(AggregateOperator op) {
  return kAggregates[static_cast<std::size_t>(op)];
}

std::optional<AggregateOperator> find_aggregate(std::string_view name, Dialect dialect) {
  for (std::size_t i = 0; i < kAggregates.size(); ++i) {
    if (!internal::equal_ignoring_case(name, kAggregates[i])) continue;
    const auto op = static_cast<AggregateOperator>(i);
    const bool is_new = op == AggregateOperator::kLimitk || op == AggregateOperator::kLimitRatio;
    if (is_new && dialect == Dialect::kPrometheus2) return std::nullopt;
    return op;
  }
  return std::nullopt;
}

std::optional<ValueType> parameter_type(AggregateOperator op) {
  switch (op) {
    case AggregateOperator::kBottomk:
    case AggregateOperator::kTopk:
    case AggregateOperator::kQuantile:
    case AggregateOperator::kLimitk:
    case AggregateOperator::kLimitRatio:
      return ValueType::kScalar;
    case AggregateOperator::kCountValues:
      return ValueType::kString;
    default:
      return std::nullopt;
  }
}

}  // namespace vigia::promql
