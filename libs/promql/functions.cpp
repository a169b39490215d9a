#include "libs/promql/functions.hpp"

#include <algorithm>
#include <array>

#include "libs/promql/text.hpp"

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
constexpr std::array<ValueType, 2> kTwoScalars{kS, kS};
constexpr std::array<ValueType, 4> kQuantiles{kV, kT, kS, kS};
constexpr std::array<ValueType, 5> kLabelReplace{kV, kT, kT, kT, kT};
constexpr std::array<ValueType, 4> kLabelJoin{kV, kT, kT, kT};

constexpr Function only_in_3(Function function) {
  function.in_prometheus2 = false;
  return function;
}
constexpr Function only_in_2(Function function) {
  function.in_prometheus3 = false;
  return function;
}
// No version so far, so that it never is stable.
constexpr int kNever = 1'000;

/// Of 3.`since`, and without a feature's flag since 3.`stable`.
constexpr Function experimental(Function function, int since = 0, int stable = kNever) {
  function.in_prometheus2 = false;
  function.since_minor = since;
  function.stable_since_minor = stable;
  return function;
}

// name(instant vector)
constexpr auto kOfVector = std::to_array<std::string_view>(
    {"abs",           "absent", "acos",  "acosh",    "asin",
     "asinh",         "atan",   "atanh", "ceil",     "cos",
     "cosh",          "deg",    "exp",   "floor",    "histogram_count",
     "histogram_sum", "ln",     "log10", "log2",     "rad",
     "sgn",           "sin",    "sinh",  "sort",     "sort_desc",
     "sqrt",          "tan",    "tanh",  "timestamp"});
constexpr auto kOfVectorIn3 =
    std::to_array<std::string_view>({"histogram_avg", "histogram_stddev", "histogram_stdvar"});
// name(range vector)
constexpr auto kOfRange = std::to_array<std::string_view>(
    {"absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta",
     "increase", "irate", "last_over_time", "max_over_time", "min_over_time", "present_over_time",
     "rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time"});
// name() or name(instant vector)
constexpr auto kOfDate =
    std::to_array<std::string_view>({"day_of_month", "day_of_week", "day_of_year", "days_in_month",
                                     "hour", "minute", "month", "year"});
// By promql/parser/functions.go of each 3.x. step(), range(), start() and end() are the query's own
// times, which query_times.hpp puts in their place.
constexpr std::array kExperimental{
    experimental(Function{"double_exponential_smoothing", kV, kMatrixTwoScalars}),
    experimental(Function{"end", kS, {}}, 12),
    experimental(Function{"first_over_time", kV, kOneMatrix}, 7, 14),
    experimental(Function{"histogram_quantiles", kV, kQuantiles, 9}, 11),
    experimental(Function{"info", kV, kTwoVectors, 1}),
    experimental(Function{"mad_over_time", kV, kOneMatrix}),
    experimental(Function{"max_of", kS, kTwoScalars}, 13),
    experimental(Function{"min_of", kS, kTwoScalars}, 13),
    experimental(Function{"range", kS, {}}, 12),
    experimental(Function{"sort_by_label", kV, kVectorString, -1}),
    experimental(Function{"sort_by_label_desc", kV, kVectorString, -1}),
    experimental(Function{"start", kS, {}}, 12),
    experimental(Function{"start_timestamp", kV, kOneVector}, 14),
    experimental(Function{"step", kS, {}}, 12),
    experimental(Function{"ts_of_first_over_time", kV, kOneMatrix}, 7),
    experimental(Function{"ts_of_last_over_time", kV, kOneMatrix}, 5),
    experimental(Function{"ts_of_max_over_time", kV, kOneMatrix}, 5),
    experimental(Function{"ts_of_min_over_time", kV, kOneMatrix}, 5),
};
constexpr std::array kOthers{
    Function{"clamp", kV, kVectorTwoScalars},
    Function{"clamp_max", kV, kVectorScalar},
    Function{"clamp_min", kV, kVectorScalar},
    Function{"histogram_fraction", kV, kTwoScalarsVector},
    Function{"histogram_quantile", kV, kScalarVector},
    only_in_2(Function{"holt_winters", kV, kMatrixTwoScalars}),
    Function{"label_join", kV, kLabelJoin, -1},
    Function{"label_replace", kV, kLabelReplace},
    Function{"pi", kS, {}},
    Function{"predict_linear", kV, kMatrixScalar},
    Function{"quantile_over_time", kV, kScalarMatrix},
    Function{"round", kV, kVectorScalar, 1},
    Function{"scalar", kS, kOneVector},
    Function{"time", kS, {}},
    Function{"vector", kV, kOneScalar},
};

constexpr std::size_t kFunctionCount = kOfVector.size() + kOfVectorIn3.size() + kOfRange.size() +
                                       kOfDate.size() + kExperimental.size() + kOthers.size();

/// All of them, sorted by name, to be looked up by bisection.
constexpr auto kFunctions = [] {
  std::array<Function, kFunctionCount> all{};
  std::size_t size = 0;
  for (const auto name : kOfVector) all[size++] = Function{name, kV, kOneVector};
  for (const auto name : kOfVectorIn3) all[size++] = only_in_3(Function{name, kV, kOneVector});
  for (const auto name : kOfRange) all[size++] = Function{name, kV, kOneMatrix};
  for (const auto name : kOfDate) all[size++] = Function{name, kV, kOneVector, 1};
  for (const Function& function : kExperimental) all[size++] = function;
  for (const Function& function : kOthers) all[size++] = function;
  std::sort(all.begin(), all.end(),
            [](const Function& left, const Function& right) { return left.name < right.name; });
  return all;
}();

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

static const Function* find_in_any(std::string_view name) {
  const auto found = std::lower_bound(
      kFunctions.begin(), kFunctions.end(), name,
      [](const Function& function, std::string_view key) { return function.name < key; });
  return found == kFunctions.end() || found->name != name ? nullptr : &*found;
}

const Function* find_function(std::string_view name, const Language& language) {
  const Function* found = find_in_any(name);
  if (found == nullptr) return nullptr;
  const bool is_in_3 =
      found->in_prometheus3 && (!language.is_new() || language.minor >= found->since_minor);
  const bool is_known =
      language.is_new() ? is_in_3 : found->in_prometheus2 && (is_in_3 || !language.is_for_both);
  return is_known ? found : nullptr;
}

bool is_enabled(const Function& function, const Language& language) {
  return !language.is_new() || language.features.experimental_functions ||
         language.minor >= function.stable_since_minor;
}

std::optional<int> first_minor_with(std::string_view name) {
  const Function* found = find_in_any(name);
  if (found == nullptr || !found->in_prometheus3) return std::nullopt;
  return found->since_minor;
}

std::string_view to_string(AggregateOperator op) {
  return kAggregates[static_cast<std::size_t>(op)];
}

std::optional<AggregateOperator> find_aggregate(std::string_view name, Dialect dialect) {
  for (std::size_t i = 0; i < kAggregates.size(); ++i) {
    if (!equal_ignoring_case(name, kAggregates[i])) continue;
    const auto op = static_cast<AggregateOperator>(i);
    if (is_experimental(op) && dialect == Dialect::kPrometheus2) return std::nullopt;
    return op;
  }
  return std::nullopt;
}

bool is_experimental(AggregateOperator op) {
  return op == AggregateOperator::kLimitk || op == AggregateOperator::kLimitRatio;
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
