// Whether the steps of a range query can be had apart.
#pragma once

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// True where each step of a range query gives the same whatever its first and last step are, so
/// that the answers over two parts of the range, one behind the other, are that over the whole.
/// False where the query says so itself (`@ start()`, `@ end()`), and where Prometheus looks at
/// all steps together: what a store hands out first decides (limitk, limit_ratio), or labels that
/// are alike at different steps are an error over the whole range and none over its parts
/// (label_replace, label_join, histogram_quantiles, info, series of several names without their
/// names). Where nobody has shown it (fill, anchored, smoothed), it is false.
bool is_stepwise(const Expr& expr);

}  // namespace vigia::promql
