// What is asked for label names, values and series, of hot and of storage.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/promql/ast.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::plan {

/// Hot knows no customers: the customer's matcher stands in each selector. Storage takes matchers
/// instead of selectors, and is told the customer by the header that its Upstream sets.
struct LookUp {
  request::Form hot_form;
  request::Form cold_form;
  std::size_t limit = 0;                ///< of the merged list; 0: all
  std::optional<TimestampMs> start_ms;  ///< none: ever since
  bool is_cut_off = false;              ///< start_ms is the caller's limit's, who named none
};

/// The begin of a list of what there is, of which the caller has named any of these. With a limit
/// of its range one that is not named is as early as may be, and one that is named earlier is
/// access::over_limit's error; without one it is what was named.
Result<std::optional<TimestampMs>> first_looked_at(const access::QueryLimits& limits,
                                                   std::optional<TimestampMs> start_ms,
                                                   std::optional<TimestampMs> end_ms,
                                                   TimestampMs now_ms);
/// What is said beside a list that begins there though nobody has said so.
std::string cut_off_warning(TimestampMs start_ms);

/// Reads match[], start, end and limit; access::over_limit's error as first_looked_at. kInvalid for
/// wrong ones, for a name that storage cannot be asked for; and as promql::fenced_text.
Result<LookUp> read_look_up(const access::Caller& caller, const request::Parameters& parameters,
                            const promql::Language& language, TimestampMs now_ms);

}  // namespace vigia::router::plan
