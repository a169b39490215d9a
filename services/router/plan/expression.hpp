// The text of a query, read and kept inside one customer's data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::plan {

/// The parameter "query". kInvalid where it is missing, is no PromQL of that language, is longer,
/// deeper or dearer than a query may be, or asks for kRollupLabel.
Result<promql::ExprPtr> read_expression(const request::Parameters& parameters,
                                        const promql::Language& language);

/// The same of a text that is no parameter of that name.
Result<promql::ExprPtr> read_text(std::string_view text, const promql::Language& language);

/// The parameters "match[]", as promql::parse_series_selectors reads them. kInvalid on anything
/// else, and where there are more than may be.
Result<std::vector<promql::Selector>> read_selectors(const request::Parameters& parameters,
                                                     const promql::Language& language);

/// Whether it reads any series.
bool has_selector(const promql::Expr& expr);

/// The text that a store may see, and the tree behind it: fenced to the caller's customer, an
/// operator's as it is. kInvalid where it is too long then; else as promql::fenced_text.
Result<std::string> text_for_stores(const access::Caller& caller, promql::Expr& expr,
                                    const promql::Language& language);

}  // namespace vigia::router::plan
