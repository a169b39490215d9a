// Loki's HTTP API: lines, and the labels by which they are found, from storage.
#pragma once

#include "libs/base/task.hpp"
#include "services/router/api/loki/log_question.hpp"
#include "services/router/api/loki/stream_list.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// Any thread.
class LogApi {
 public:
  explicit LogApi(stores::Stores& stores) : stores_(stores) {}

  void query_range(request::ApiRequest request, request::Exchange exchange);
  /// Of numbers alone: lines have no one moment, and metric queries are not served so far.
  void query(request::ApiRequest request, request::Exchange exchange);
  void labels(request::ApiRequest request, request::Exchange exchange);
  void label_values(request::ApiRequest request, request::Exchange exchange);
  void series(request::ApiRequest request, request::Exchange exchange);
  void index_stats(request::ApiRequest request, request::Exchange exchange);
  void build_info(request::ApiRequest request, request::Exchange exchange);

 private:
  /// `answer` makes the answer of a list.
  void list(Result<StreamListQuestion> question, request::Exchange exchange,
            Task<net::Response(StreamList)> answer);

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::loki
