// How much work the subqueries of a query ask for.
#pragma once

#include <cstdint>

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// How often the subqueries' inner expressions are evaluated, all together: each over its own range
/// and that of what stands around it, divided by its step. `outer` is the length of time that the
/// whole query is evaluated over, 0 for an instant query. A subquery without a step is counted with
/// 15 s. Saturates at the largest number.
std::uint64_t subquery_evaluations(const Expr& expr, Duration outer);

}  // namespace vigia::promql
