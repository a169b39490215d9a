// Which streams there are log records of.
#pragma once

#include <utility>

#include "libs/net/message.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/api/event_api.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::api {

/// Of one answer.
inline constexpr std::size_t kLogStreamsMax = 10'000;

/// Made for one request: keeps nothing. Thread contract: any thread that may block.
class LogStreamApi {
 public:
  /// All must outlive it.
  LogStreamApi(store::EventStore& events, lanes::CustomerShares& answers, AnswerGaps gaps = {},
               EventsKept kept = {})
      : events_(events), answers_(answers), gaps_(std::move(gaps)), kept_(std::move(kept)) {}

  /// GET /api/v1/logs/streams with the parameters of /api/v1/logs but direction; `limit` is of
  /// streams, at most kLogStreamsMax. About the customer of X-Vigia-Customer alone; without the
  /// header kInvalid: streams of several customers are told apart by none of what is listed.
  /// {"status":"success","data":[{"service_name":"…","node_id":"…","environment":"…",
  /// "severity":"…","records":2,"bytes":70}],"warnings":[…]}: "" for what a record does not say;
  /// bytes are those of the records' texts. It looks at the records themselves, the last ones
  /// first: a warning says where the limits ended that, or there are more streams.
  ///   cursor=         a walk by pages in the given direction: each page counts what it has
  ///                   looked at (looked_at.hpp) and has a cursor where that is not all; the sum of
  ///                   all pages is exact, but for records that come meanwhile
  ///   width, origin   ns: each stream's "windows", [[number, records, bytes],…] (CountWindows)
  ///   unless=NAME     repeated, or "": as CountWish has it; "counted":false where that is so
  net::Response streams(const net::Request& request, const store::WorkLimit& limit = {}) const;

 private:
  store::EventStore& events_;
  lanes::CustomerShares& answers_;
  const AnswerGaps gaps_;
  const EventsKept kept_;
};

}  // namespace vigia::storage::api
