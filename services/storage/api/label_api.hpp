// /api/v1/labels, /api/v1/label/{name}/values and /api/v1/series, in the JSON form of Prometheus'
// HTTP interface. Remote read knows no labels, so the router asks these.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "libs/net/routes.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/answer_gaps.hpp"
#include "services/storage/api/label_query.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::api {

/// Parameters: label_query.hpp. With a range, what is answered is that of series which had samples
/// on one of its days, as the catalog knows them (store/catalog.hpp): no chunk is read. Where
/// `limit` or 64 MiB of JSON cut an answer short, "warnings" says so; 429 where series with too
/// many labels have to be looked at, 503 past the customer's share of all answers' memory; 504 once
/// the limit is over: what was found until then is in no order that a part of it could be told by.
/// Thread contract: any thread that may block.
class LabelApi {
 public:
  /// All must outlive it. `kept_from`: days before are past the retention, and nothing of them
  /// alone is answered, whatever still lies there (C46).
  LabelApi(const store::Catalog& catalog, lanes::CustomerShares& answers, AnswerGaps gaps = {},
           std::function<TimestampMs(const CustomerId&)> kept_from = {})
      : catalog_(catalog),
        answers_(answers),
        gaps_(std::move(gaps)),
        kept_from_(std::move(kept_from)) {}
  net::Response labels(const net::Request& request, const store::WorkLimit& limit = {}) const;
  net::Response values(const net::Request& request, std::string_view name,
                       const store::WorkLimit& limit = {}) const;
  net::Response series(const net::Request& request, const store::WorkLimit& limit = {}) const;

 private:
  store::DayRange days_of(const LabelQuery& query, const CustomerId& customer) const;
  struct Looking {  // of one request
    const LabelQuery& query;
    lanes::AnswerMemory& memory;
    const store::WorkLimit& limit;
  };
  Result<std::set<Labels>> find_series(const Looking& looking, std::size_t series_max) const;
  Result<std::set<std::string>> find_names(const Looking& looking) const;
  Result<std::set<std::string>> find_values(const Looking& looking, std::string_view name) const;

  const store::Catalog& catalog_;
  lanes::CustomerShares& answers_;
  const AnswerGaps gaps_;
  const std::function<TimestampMs(const CustomerId&)> kept_from_;
};

}  // namespace vigia::storage::api
