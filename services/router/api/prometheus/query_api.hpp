// /api/v1/query, query_range, format_query and parse_query.
#pragma once

#include <string>

#include "services/router/cache/kept_answers.hpp"
#include "services/router/plan/question.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/run/joined_queries.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// Reads and fences; which store answers, and what its answer means, is decided in plan/ and done
/// in run/. Any thread.
class QueryApi {
 public:
  /// All must outlive it.
  QueryApi(stores::Stores& stores, cache::KeptAnswers& kept, service::MetricRegistry& metrics)
      : stores_(stores), kept_(kept), joined_(stores.clock(), metrics) {}

  void query(request::ApiRequest request, request::Exchange exchange);
  void query_range(request::ApiRequest request, request::Exchange exchange);
  void format_query(request::ApiRequest request, request::Exchange exchange);
  /// As Prometheus 3 does, where hot is one of 2.x, too.
  void parse_query(request::ApiRequest request, request::Exchange exchange);

 private:
  plan::ReadingRules rules() const;
  void evaluate(Result<plan::Question> question, request::Exchange exchange);
  void ask_about_text(std::string path, const request::ApiRequest& request,
                      request::Exchange exchange);

  stores::Stores& stores_;
  cache::KeptAnswers& kept_;
  run::JoinedQueries joined_;
};

}  // namespace vigia::router::api::prometheus
