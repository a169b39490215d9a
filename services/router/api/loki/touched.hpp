// Which stretch of time a metric query of logs reads.
#pragma once

#include <optional>

#include "libs/logql/ast.hpp"
#include "services/router/api/loki/log_parameters.hpp"

namespace vigia::router::api::loki {

/// Of a query that is evaluated from the one time to the other: from the begin of its earliest
/// window to the end of its latest one, ranges and offsets counted. Nothing where it reads no
/// lines.
std::optional<LogRange> touched_by(const logql::LogExpr& expr, LogRange evaluated);

}  // namespace vigia::router::api::loki
