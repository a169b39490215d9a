// A second tree.
#pragma once

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// The same tree once more, of which nothing is shared. Any thread, as long as nobody changes
/// `expr`.
Expr copy_of(const Expr& expr);

/// The selector without what moves, stretches or extends it: which series it reads.
Selector bare_of(Selector selector);

}  // namespace vigia::promql
