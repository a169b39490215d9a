// sum, avg, topk and the others of that kind, over vectors.
#pragma once

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/evaluation_run.hpp"

namespace vigia::logql::metrics {

/// Step by step. Of one step topk, bottomk and the sorts put the series in order.
Result<StepVector> aggregate(const VectorAggregation& made, StepVector input, EvaluationRun& run);

}  // namespace vigia::logql::metrics
