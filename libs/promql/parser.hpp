// Text into a tree. The parser knows the whole of PromQL and refuses everything else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// Reads an expression and checks its types, as Prometheus does before it evaluates. kInvalid with
/// "LINE:COLUMN: parse error: …" on bad syntax, an unknown function, a wrong type, a selector that
/// matches everything, a regex that RE2 or that Prometheus does
/// not take, and on what is behind a feature that the language has not switched on; kTooLarge over
/// a limit of limits.hpp. Never empty on success.
///
/// Any thread.
Result<ExprPtr> parse(std::string_view text, const Language& language);

/// Reads selectors as `match[]` takes them: no range, no offset, no @. All of one request, since
/// they share the bounds on regexes. The first fault is the one told.
Result<std::vector<Selector>> parse_series_selectors(const std::vector<std::string>& texts,
                                                     const Language& language);

}  // namespace vigia::promql
