// The tree of an expression as Prometheus' parse_query tells it.
#pragma once

#include <string>

#include "libs/promql/ast.hpp"

namespace vigia::router::api::prometheus {

/// {"type":"binaryExpr","op":"+","lhs":{…},…} with all fields that Prometheus 3 gives.
std::string expression_tree(const promql::Expr& expr);

}  // namespace vigia::router::api::prometheus
