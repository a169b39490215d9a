// Finding traces without their ids, and what there is to ask for.
#pragma once

#include <functional>
#include <string_view>

#include "libs/net/message.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::api {

/// All answer about the customer of X-Vigia-Customer alone, without the header about all
/// (operators). Thread contract: any thread that may block.
class TraceSearchApi {
 public:
  /// All must outlive it. `kept_from`: since when traces are kept (EventsKept).
  TraceSearchApi(store::EventStore& events, const store::Catalog& catalog,
                 lanes::CustomerShares& answers, AnswerGaps gaps = {},
                 std::function<TimestampMs(const CustomerId&)> kept_from = {})
      : events_(events),
        catalog_(catalog),
        answers_(answers),
        gaps_(std::move(gaps)),
        kept_from_(std::move(kept_from)) {}

  /// GET /api/v1/traces, as trace_request.hpp says: whole traces of which one span has all that is
  /// asked for, the one with the latest such span first, within a customer.
  /// {"status":"success","data":[traces as by id],"cursor":"…","warnings":[…]}: a cursor where
  /// there are more than the limit, 64 MiB or what one answer may hold, and where the search was
  /// ended; 503 past the customer's share of all answers' memory.
  net::Response traces(const net::Request& request, const store::WorkLimit& limit = {}) const;
  /// GET /api/v1/services: {"status":"success","data":["name",…],"cursor":"…"}, sorted, of the days
  /// that start and end touch, where they are given.
  net::Response services(const net::Request& request, const store::WorkLimit& limit = {}) const;
  /// GET /api/v1/services/{s}/operations, and /api/v1/operations?service=… for a name with a slash:
  /// likewise {"name":"…","span_kind":"server"}, "" for none. `service`: of the path, else "".
  net::Response operations(const net::Request& request, std::string_view service,
                           const store::WorkLimit& limit = {}) const;
  /// GET /api/v1/dependencies: which service has called which between start and end, in Jaeger's
  /// form, sorted: {"status":"success","data":[{"parent":"shop","child":"bank","callCount":3}]}; of
  /// `service` alone where it is given. A call is a span that starts then, whose parent in its
  /// trace is of another service. Counted are at most `limit` traces, each service's latest ones
  /// alike, a million spans and 20,000 of a trace; "warnings" say where there are more, or the
  /// search was ended.
  net::Response dependencies(const net::Request& request, const store::WorkLimit& limit = {}) const;

 private:
  store::EventStore& events_;
  const store::Catalog& catalog_;
  lanes::CustomerShares& answers_;
  const AnswerGaps gaps_;
  const std::function<TimestampMs(const CustomerId&)> kept_from_;
};

}  // namespace vigia::storage::api
