// The functions and aggregation operators of PromQL: names, argument types, and who knows them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "libs/promql/language.hpp"

namespace vigia::promql {

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
  int since_minor = 0;  ///< of 3.x
  /// Of 3.x, where it needs no promql-experimental-functions any more; 0: it never did.
  int stable_since_minor = 0;
};

/// The function of that exact name in that language, experimental ones too, or null.
const Function* find_function(std::string_view name, const Language& language);

/// Whether the stores of that language were started so that they take it.
bool is_enabled(const Function& function, const Language& language);

/// The first 3.x that has a function of that name, where one has.
std::optional<int> first_minor_with(std::string_view name);

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
/// Whether 3.x takes the operator with promql-experimental-functions alone.
bool is_experimental(AggregateOperator op);
/// Type of the operator's parameter, or nothing where it takes none.
std::optional<ValueType> parameter_type(AggregateOperator op);

}  // namespace vigia::promql
