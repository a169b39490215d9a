// A query as it came: read, fenced, and what it will touch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"
#include "libs/promql/time_range.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/access/query_weights.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::plan {

/// Immutable once it is read; any thread then.
struct Question {
  access::Caller caller;
  std::string path;                          ///< of the store's API
  request::Form form;                        ///< canonical, fenced: all that a store gets
  Duration timeout{0};                       ///< the store's own and a little more
  bool is_own_stats = false;                 ///< the router alone asked what the query held
  std::shared_ptr<const promql::Expr> expr;  ///< fenced; who counts its series shares it
  std::vector<promql::TimeRange> ranges;     ///< of its selectors
  std::optional<promql::TimeRange> touches;  ///< nothing where no selector stands in the query
  promql::Language language = promql::Dialect::kPrometheus2;  ///< that it was read in
  promql::Evaluation times;                                   ///< first and last; its look-back
  Duration step{0};                                           ///< 0: it is evaluated once
  TimestampMs now_ms = 0;                                     ///< when it was read
  Duration length{0};                                         ///< from the first step to the last
  access::QueryShape shape;                                   ///< by which it is known again
};

/// What reading depends on beside the request.
struct ReadingRules {
  promql::Language language = promql::Dialect::kPrometheus2;  ///< that all stores take
  TimestampMs now_ms = 0;                                     ///< of a query without a time
  Duration timeout_max{0};
};

/// /api/v1/query. kInvalid, in Prometheus' words where it has any, for wrong parameters, for what
/// is no PromQL, cannot be fenced, or would hold a store that all customers share (cost of
/// subqueries, labels made, room of results); access::over_limit's for a range or steps over the
/// caller's own; kTooLarge and kInternal as the parser and the fence give them. Asks nobody.
Result<Question> read_instant(access::Caller caller, const request::Parameters& parameters,
                              const ReadingRules& rules);
/// /api/v1/query_range, the same.
Result<Question> read_range(access::Caller caller, const request::Parameters& parameters,
                            const ReadingRules& rules);

/// A query that reads what the selectors of `expr` read and nothing else, so that PromQL has
/// nothing to remark and every warning is a store's. `ranges` are theirs.
std::string bare_reading(const promql::Expr& expr, const std::vector<promql::TimeRange>& ranges);

}  // namespace vigia::router::plan
