// Which nodes a query can have to do with.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "libs/promql/ast.hpp"

namespace vigia::router::plan {

/// The nodes that its selectors name, where each selector names some by `node_id="…"`, or by `=~`
/// with nothing but names and `|` between them: no series of another node is read. Nothing where a
/// selector names none.
std::optional<std::set<std::string>> bound_nodes(const promql::Expr& expr);

}  // namespace vigia::router::plan
