// absent() without the fence in its answer.
#pragma once

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// absent() and absent_over_time() give a series whose labels come from the selector's matchers, so
/// from the fence's too, as if the caller had written it. Before the tree is fenced: those whose
/// selector says nothing of the customer are put into `group without (customer_id) (…)`, which
/// leaves all else of the one series, its value 1 included, as it is.
void hide_fence_in_absent(Expr& expr);

}  // namespace vigia::promql
