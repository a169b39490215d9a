// /api/v1/metadata: what metrics are said to be, in the form of Prometheus' interface of that name.
#pragma once

#include <functional>

#include "libs/net/message.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/metadata.hpp"

namespace vigia::storage::api {

/// Parameters: `metric`, that of this family alone; `limit`, at most so many metrics;
/// `limit_per_metric`, at most so many things said of one (several customers may say several; of
/// one customer there is one); `customer` as the label interfaces have it. Answer:
/// {"status":"success","data":{"up":[{"type":"gauge","help":"…","unit":""}],…}}, metrics by name.
/// Past the limit, or 64 MiB, "warnings" say that there are more. 400 for another parameter, and
/// where the store keeps none; 503 past the customer's share of all answers' memory; 504 once the
/// limit is over. Thread contract: any thread that may block.
class MetadataApi {
 public:
  /// All must outlive it. `metadata` null: the store keeps none. `noted_from`: what was last noted
  /// on a day that is over at that time is not given, by customer.
  MetadataApi(store::MetadataStore* metadata, const store::Catalog& catalog,
              lanes::CustomerShares& answers, AnswerGaps gaps = {},
              std::function<TimestampMs(const CustomerId&)> noted_from = {})
      : metadata_(metadata),
        catalog_(catalog),
        answers_(answers),
        gaps_(std::move(gaps)),
        noted_from_(std::move(noted_from)) {}
  net::Response metadata(const net::Request& request, const store::WorkLimit& limit = {}) const;

 private:
  store::MetadataStore* metadata_;
  const store::Catalog& catalog_;
  lanes::CustomerShares& answers_;
  const AnswerGaps gaps_;
  const std::function<TimestampMs(const CustomerId&)> noted_from_;
};

}  // namespace vigia::storage::api
