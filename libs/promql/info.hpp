// info() adds labels of other series, which its second argument selects.
#pragma once

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// Writes out what each info() of the tree reads: `target_info` where its second argument names no
/// metric, or is not there. It means the same, and whoever walks the tree sees all that is read.
void write_info_selectors(Expr& expr);
/// Whether every info() has its second argument, so that the fence has a place.
bool are_info_selectors_written(const Expr& expr);

/// Whether every info() of the tree, as write_info_selectors left it, gives within one customer's
/// data what it gives where there is no other: kInvalid, with the reason and what helps, where
/// fencing its second argument would change that.
Result<void> check_info_can_be_fenced(const Expr& expr);

}  // namespace vigia::promql
