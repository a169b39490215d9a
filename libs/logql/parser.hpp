// Text into a tree. The parser knows what it lists of LogQL and refuses everything else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"

namespace vigia::logql {

/// Reads an expression and checks what may stand where, as Loki does before it evaluates. kInvalid
/// with "LINE:COLUMN: parse error: …" on bad syntax, an unknown stage or function, a wrong type, a
/// selector that matches everything, and a regex that RE2 does not take; kTooLarge over a limit of
/// limits.hpp. Never empty on success. Any thread.
Result<LogExprPtr> parse_logs(std::string_view text);

/// Reads selectors as `match[]` of the series interface takes them: matchers alone. All of one
/// request, since they share the bounds on regexes. The first fault is the one told.
Result<std::vector<LogSelector>> parse_stream_selectors(const std::vector<std::string>& texts);

}  // namespace vigia::logql
