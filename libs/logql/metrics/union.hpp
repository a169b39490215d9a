// `a or b or c …`.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/metrics/presence.hpp"

namespace vigia::logql::metrics {

/// All sides of a chain of `or` that match alike, from the left. Each is looked at once: a chain
/// costs the sum of its sides. Not thread-safe.
class Union {
 public:
  Union(const promql::VectorMatching& matching, EvaluationRun& run)
      : run_(run), presence_(matching, run), held_(run.holding()) {}

  /// Takes the values at whose steps no partner was there before. kTooLarge past the bounds of one
  /// part.
  Result<void> add(StepVector side);
  /// Sorted by labels.
  StepVector finish();

 private:
  struct Gathered {
    std::vector<StepValue> values;
    bool has_unsorted = false;
  };

  EvaluationRun& run_;
  Presence presence_;
  PartMemory held_;
  std::map<Labels, Gathered> all_;
  std::size_t values_ = 0;
};

}  // namespace vigia::logql::metrics
