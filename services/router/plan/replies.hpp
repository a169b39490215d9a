// What an answer of a store means, before its data is looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/access/query_weights.hpp"

namespace vigia::router::plan {

enum class Reply {
  kWhole,
  kShort,       ///< a success, and a warning that a store behind it did not answer
  kMaybeShort,  ///< a success that left warnings out: one of them may be that one
  kRefused,     ///< the caller's own fault
  kBrokenOff,   ///< an error, and a sign that a store behind it did not answer
  kAway,        ///< nobody is there, or it saw nothing of the query
  kFaulty,      ///< it answered with a fault of its own
  kLost,        ///< it broke off while it worked on the query, which it may not have survived
  kFailed,      ///< no store would do better: too long, too large, no turn
};

/// `answer` as upstream::Upstream::ask gives it.
Reply reply_of(const Result<wire::prometheus_api::Envelope>& answer);

/// What a store, or one behind it, has refused: too many series, too large an answer, a matcher
/// that it cannot take. Its own words, which say what helps; nothing where it refused nothing of
/// the kind, or shows more than its caller may see. Whoever asked for less would get an answer, so
/// it is no store that does not answer.
std::optional<Error> refusal_of(const Result<wire::prometheus_api::Envelope>& answer);

/// What PromQL itself remarks ("PromQL info: …"), without what a store behind it says.
std::vector<std::string> promql_remarks(const std::vector<std::string>& texts);

/// What an answer says of what its query held; nothing where it says nothing. With `cut` the answer
/// is left as it were without it.
std::optional<access::QueryCost> cost_of(Result<wire::prometheus_api::Envelope>& answer, bool cut);

}  // namespace vigia::router::plan
