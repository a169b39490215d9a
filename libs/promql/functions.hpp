// The functions and aggregation operators of PromQL: names, argument types, and who knows them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vigia::promql {

/// Which Prometheus the expression is for: 2.42 (and the 2.x series), or 3.x.
enum class Dialect : std::uint8_t { kPrometheus2, kPrometheus3 };

enum class ValueType : std::uint8_t { kScalar, kVector, kMatrix, kString };

/// "scalar", "instant vector", "range vector", "string".
std::string_view to_string(ValueType type);

struct Function {
  std::string_view name;
  ValueType result = ValueType::kVector;
  std::span<const ValueType> arguments;
  /// 0: exactly `arguments`. n > 0: the last is optional and may stand up to n times. −1: the last
  /// is optional and may stand any number of times.
  int variadic = 0;
  bool in_prometheus2 = true;
  bool in_prometheus3 = true;
  /// False where it reads series that no selector of the tree names, so that it cannot be fenced.
  bool is_fenceable = true;
};

/// The function of that exact name in that dialect, or null.
const Function* find_function(std::string_view name, Dialect dialect);

enum class AggregateOperator : std::uint8_t {
  kAvg,
  kBottomk,
  kCount,
  kCountValues,
  kGroup,
  kLimitk,
  kLimitRatio,
  kMax,
  kMin,
  kQuantile,
  kStddev,
  kStdvar,
  kSum,
  kTopk
};

std::string_view to_string(AggregateOperator op);
/// Of a name in any case; limitk and limit_ratio are words of 3.x only.
std::optional<AggregateOperator> find_aggregate(std::string_view name, Dialect dialect);
/// Type of the operator's parameter, or nothing where it takes none.
std::optional<ValueType> parameter_type(AggregateOperator op);

}  // namespace vigia::promql
