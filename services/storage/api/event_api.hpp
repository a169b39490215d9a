// Reading spans and log records.
#pragma once

#include <functional>

#include "libs/net/message.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::api {

/// Since when each is kept: what is older is past its retention, and is not given, whatever still
/// lies there (C46). Without them everything is.
struct EventsKept {
  std::function<TimestampMs(const CustomerId&)> traces_from;
  std::function<TimestampMs(const CustomerId&)> logs_from;
};

/// Both answer about the customer of X-Vigia-Customer alone, without the header about all
/// (operators). Thread contract: any thread that may block.
class EventApi {
 public:
  /// All must outlive it.
  EventApi(store::EventStore& events, const store::Catalog& catalog, lanes::CustomerShares& answers,
           AnswerGaps gaps = {}, EventsKept kept = {})
      : events_(events),
        catalog_(catalog),
        answers_(answers),
        gaps_(std::move(gaps)),
        kept_(std::move(kept)) {}

  /// A trace in Jaeger's JSON, of at most 20,000 spans, 64 MiB and what one answer may hold,
  /// without spans that need too much memory each (a warning in it says that there are more, or
  /// that the limit ended the search); 404 where the customer has no span of it (503 while rows are
  /// missing), 503 where the limit came before the first, or the customer's other answers leave no
  /// room. The id: 1 to 32 hex digits, filled with zeros at the left.
  net::Response trace(const net::Request& request, std::string_view id,
                      const store::WorkLimit& limit = {}) const;

  /// GET /api/v1/logs with the parameters of the label interfaces (label_query.hpp; start and end
  /// are required, `limit` is at most 5,000) and those of log_query.hpp: direction, streams,
  /// cursor. Matchers see customer_id, node_id, environment, service_name, severity, trace_id and
  /// the resource's attributes under their own names.
  /// {"status":"success","data":[{"time_ns":"…","severity":"…","body":"…","trace_id":"…",
  /// "span_id":"…","attributes":{…},"resource":{…}}],"cursor":"…"}, in time
  /// order within a customer, those of one time in order of arrival; backward the other way round.
  /// Where there are more than the limit, 64 MiB or what one answer may hold, "warnings" says so
  /// and "cursor" is there, with which the next page is asked for, and where the limit ended the
  /// search, or what a page by line filters looks at (looked_at.hpp); 503 past the customer's share
  /// of all answers' memory. A page by line filters tells "looked_at" (looked_at.hpp), too.
  net::Response logs(const net::Request& request, const store::WorkLimit& limit = {}) const;

 private:
  store::EventStore& events_;
  const store::Catalog& catalog_;
  lanes::CustomerShares& answers_;
  const AnswerGaps gaps_;
  const EventsKept kept_;
};

}  // namespace vigia::storage::api
