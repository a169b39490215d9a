// Queries that read no lines: "vector(1)+vector(1)", by which Grafana tests a data source.
#pragma once

#include <optional>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"

namespace vigia::router::api::loki {

/// The value of an expression without selectors, a number or a vector of one sample without labels.
/// kInvalid where it is more than arithmetic.
Result<double> constant_value(const logql::LogExpr& expr);

}  // namespace vigia::router::api::loki
