// Whether the results of a query have room in the store that evaluates it: what is known without
// asking, and what is said where they have none.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/promql/result_memory.hpp"
#include "libs/promql/time_range.hpp"
#include "services/router/access/caller.hpp"

namespace vigia::router::plan {

/// Refuses, with what helps, what fits nowhere even if each selector has one series.
Result<void> check_room_of_fewest(const promql::Expr& expr, const promql::EvaluationShape& shape);
/// True where the results have room as long as no selector has more series than are assumed of
/// this caller.
bool has_room_uncounted(const promql::Expr& expr, const promql::EvaluationShape& shape,
                        const access::Caller& caller);

/// What a selector that was not counted is taken for.
promql::AssumedSeries assumed_of(const promql::Expr& expr, const promql::EvaluationShape& shape,
                                 const access::Caller& caller);

/// kInvalid: so many bytes, with so many series ("12 series of one selector"), and what helps.
Error no_room(const promql::Expr& expr, const promql::EvaluationShape& shape, std::uint64_t bytes,
              std::string_view series);

/// One selection of series, wherever it stands in the query.
struct Selected {
  promql::Selector selector;  ///< without range, offset and @
  promql::TimeRange range;
  std::vector<std::size_t> numbers;  ///< of the selectors that read it, in the order of the text
};

/// What the query reads, each once. `ranges` are its selectors'.
std::vector<Selected> selected_by(const promql::Expr& expr,
                                  const std::vector<promql::TimeRange>& ranges);

}  // namespace vigia::router::plan
