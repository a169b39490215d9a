// At which steps a side of a set operator has a partner.
#pragma once

#include <map>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/evaluation_run.hpp"
#include "libs/logql/metrics/step_series.hpp"

namespace vigia::logql::metrics {

/// The labels by which a series is matched.
Labels signature_of(const Labels& labels, const promql::VectorMatching& matching);

/// Which steps some series of a signature have. Not thread-safe.
class Presence {
 public:
  Presence(const promql::VectorMatching& matching, EvaluationRun& run)
      : matching_(matching), run_(run), held_(run.holding()) {}

  Result<void> add(const StepVector& side);
  /// Leaves the values at whose steps a partner is there, or is not.
  Result<void> keep(StepVector& side, bool wanted);

 private:
  const promql::VectorMatching& matching_;
  EvaluationRun& run_;
  PartMemory held_;
  std::map<Labels, std::vector<bool>> is_there_;
};

}  // namespace vigia::logql::metrics
