// /api/v1/exemplars: the exemplars of series, in the form of Prometheus' query_exemplars.
#pragma once

#include <functional>

#include "libs/net/message.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/api/label_query.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/exemplars.hpp"

namespace vigia::storage::api {

/// Parameters: label_query.hpp, with a matcher at least; `limit` is of exemplars, and `start` and
/// `end` are theirs to the millisecond. Answer:
/// {"status":"success","data":[{"seriesLabels":{…},"exemplars":[{"labels":{"trace_id":"…"},
/// "value":"0.2","timestamp":1700000000.123},…]},…]}: series by their labels, each with its
/// exemplars by time; series without one are left out. Cut short by the limit or 64 MiB, "warnings"
/// say so. 400 where the store keeps none; 429 past 100,000 series, 503 past the customer's share
/// of all answers' memory; 504 once the limit is over. Thread contract: any thread that may block.
class ExemplarApi {
 public:
  /// All must outlive it. `exemplars` null: the store keeps none. `kept_from`: of samples, since
  /// exemplars are kept as long.
  ExemplarApi(store::ExemplarStore* exemplars, const store::Catalog& catalog,
              lanes::CustomerShares& answers, AnswerGaps gaps = {},
              std::function<TimestampMs(const CustomerId&)> kept_from = {})
      : exemplars_(exemplars),
        catalog_(catalog),
        answers_(answers),
        gaps_(std::move(gaps)),
        kept_from_(std::move(kept_from)) {}
  net::Response exemplars(const net::Request& request, const store::WorkLimit& limit = {}) const;

 private:
  Result<std::vector<read::SelectedSeries>> find_series(const LabelQuery& query,
                                                        const store::ExemplarRange& range,
                                                        lanes::AnswerMemory& memory,
                                                        const store::WorkLimit& limit) const;

  store::ExemplarRange kept_of(const CustomerId& customer, store::ExemplarRange range) const;

  struct Answering {  // of one request
    AnswerBody& body;
    lanes::AnswerMemory& memory;
    std::size_t left;  // exemplars
    const store::ExemplarRange& range;
    const store::WorkLimit& limit;
  };
  Result<bool> add(const read::SelectedSeries& series, Answering& answering) const;

  store::ExemplarStore* exemplars_;
  const store::Catalog& catalog_;
  lanes::CustomerShares& answers_;
  const AnswerGaps gaps_;
  const std::function<TimestampMs(const CustomerId&)> kept_from_;
};

}  // namespace vigia::storage::api
