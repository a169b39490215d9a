// A tree into text.
#pragma once

#include <string>
#include <string_view>

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// The expression on one line, in a form that reads back as the same tree in the dialect it was
/// read in. Any thread.
std::string print(const Expr& expr);
std::string print(const Selector& selector);
/// "+", "and".
std::string_view to_string(BinaryOperator op);

}  // namespace vigia::promql
