// What a Prometheus asks by remote read, inside its customer's data.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "services/router/access/caller.hpp"

namespace vigia::router::plan {

/// The request anew, as storage is asked: each query's matchers read and fenced as a selector of
/// PromQL is, its times, the one answer type that was chosen, and nothing else of what the client
/// sent. `body` is a snappy block of prometheus.ReadRequest.
///
/// kInvalid: no such message, a matcher or regex that a query may not have, a query that matches
/// everything, the label __rollup__. kTooLarge past the limits of wire::remote_read. Any thread.
Result<std::string> fenced_read(const access::Caller& caller, std::string_view body);

}  // namespace vigia::router::plan
