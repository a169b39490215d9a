// A tree into text.
#pragma once

#include <string>

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// The expression on one line, in a form that reads back as the same tree in the dialect it was
/// read in. Any thread.
std::string print(const Expr& expr);
std::string print(const Selector& selector);

}  // namespace vigia::promql
