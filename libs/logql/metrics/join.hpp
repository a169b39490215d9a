// Operators between vectors and numbers.
#pragma once

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/evaluation_run.hpp"

namespace vigia::logql::metrics {

/// Of two numbers; a comparison is 1 or 0. Division and remainder by 0 are no number (NaN).
double calculate(promql::BinaryOperator op, double left, double right);

/// Each value with a number, which stands on the left with `is_left`. A comparison without bool
/// keeps the values for which it holds.
StepVector join_number(const MetricPair& pair, StepVector vector, double number, bool is_left);

/// kInvalid where a series has several partners and the operator does not say so (group_left,
/// group_right), or where two results have the same labels. Not of `or`: see union.hpp.
Result<StepVector> join_vectors(const MetricPair& pair, StepVector left, StepVector right,
                                EvaluationRun& run);

}  // namespace vigia::logql::metrics
