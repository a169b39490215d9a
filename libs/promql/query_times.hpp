// What a query says of its own times, put in figures.
#pragma once

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"
#include "libs/promql/time_range.hpp"

namespace vigia::promql {

/// Computes the lengths of the tree that are computed (`[2 * step()]`), and puts numbers in the
/// place of start(), end(), range() and step(), as Prometheus does before it evaluates: so that a
/// text means the same whatever times go with it, needs no feature of the store for this, and what
/// walks the tree sees plain lengths. `step` is 0 of an instant query. kInvalid, in Prometheus'
/// words, where a length comes to nothing.
///
/// Any thread.
Result<void> fold_query_times(Expr& expr, const Evaluation& times, Duration step);

}  // namespace vigia::promql
