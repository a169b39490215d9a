// What is asked for label names, values and series, of hot and of storage.
#pragma once

#include <cstddef>
#include <optional>

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
};

/// Reads match[], start, end and limit. kInvalid for wrong ones, for a name that storage cannot be
/// asked for; and as promql::fenced_text.
Result<LookUp> read_look_up(const access::Caller& caller, const request::Parameters& parameters,
                            promql::Dialect dialect);

}  // namespace vigia::router::plan
