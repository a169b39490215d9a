// Functions over a range of lines: `rate({…} | json [5m]) by (x)`.
#pragma once

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/evaluation_run.hpp"
#include "libs/logql/metrics/step_series.hpp"

namespace vigia::logql::metrics {

/// Reads the lines of the selector once. `grouping` is that of the function itself, or of an
/// aggregation around it with which it can be merged.
Result<StepVector> evaluate_range(const RangeAggregation& made, const LabelGrouping& grouping,
                                  EvaluationRun& run);

/// Whether the aggregation of the function is the function by the aggregation's labels: the sum of
/// counts, and of sums, the largest of the largest. Lines with labels of their own (a trace id)
/// make no series of their own then.
bool can_be_merged(VectorOperator op, const LabelGrouping& grouping, const RangeAggregation& made);

}  // namespace vigia::logql::metrics
