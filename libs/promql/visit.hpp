// Walks over a tree.
#pragma once

#include <functional>

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// Calls `see` for every selector of the tree, in the order of the text. A node that holds
/// selectors and is not listed in the source does not compile.
void for_each_selector(Expr& expr, const std::function<void(Selector&)>& see);
void for_each_selector(const Expr& expr, const std::function<void(const Selector&)>& see);

/// The same of calls of functions, the outer ones first.
void for_each_call(Expr& expr, const std::function<void(Call&)>& see);
void for_each_call(const Expr& expr, const std::function<void(const Call&)>& see);

}  // namespace vigia::promql
