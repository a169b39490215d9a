// Which stretch of time a query reads.
#pragma once

#include <vector>

#include "libs/model/sample.hpp"
#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// The times at which a query is evaluated: one for an instant query.
struct Evaluation {
  TimestampMs start_ms = 0;
  TimestampMs end_ms = 0;
  Duration lookback = std::chrono::minutes(5);  ///< of an instant selector
};

/// Both ends belong to it.
struct TimeRange {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
  bool operator==(const TimeRange&) const = default;
};

/// For each selector, in the order of the text, the samples that it may read: its range or the
/// lookback, moved by offset and @ of its own and of the subqueries around it, and a look-back more
/// where it is anchored or smoothed. Lengths that fold_query_times has not computed count as the
/// longest.
std::vector<TimeRange> selector_ranges(const Expr& expr, const Evaluation& evaluation);

}  // namespace vigia::promql
