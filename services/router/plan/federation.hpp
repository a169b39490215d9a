// What /federate asks of a store.
#pragma once

#include "libs/base/result.hpp"
#include "services/router/plan/question.hpp"

namespace vigia::router::plan {

/// The last sample of each series that a match[] selects, of those that came within the lookback:
/// as a question, so that it goes to the store that holds them as a query would. Its form has the
/// fenced match[], its expression all of them with "or" between. kInvalid without a match[], which
/// Prometheus would answer with nothing, and as LookUp for wrong ones. Asks nobody.
Result<Question> read_federation(access::Caller caller, const request::Parameters& parameters,
                                 const ReadingRules& rules);

}  // namespace vigia::router::plan
