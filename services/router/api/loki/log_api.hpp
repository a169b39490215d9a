// Loki's HTTP API: lines, what is counted of them, and the labels by which they are found, from
// storage.
#pragma once

#include <optional>
#include <string>

#include "libs/base/task.hpp"
#include "services/router/api/loki/log_question.hpp"
#include "services/router/api/loki/metric_run.hpp"
#include "services/router/api/loki/query_threads.hpp"
#include "services/router/api/loki/stream_list.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// Any thread.
class LogApi {
 public:
  explicit LogApi(stores::Stores& stores) : stores_(stores), streams_(stores.clock()) {}

  void query_range(request::ApiRequest request, request::Exchange exchange);
  /// Of metric queries: lines have no one moment.
  void query(request::ApiRequest request, request::Exchange exchange);
  void labels(request::ApiRequest request, request::Exchange exchange);
  void label_values(request::ApiRequest request, request::Exchange exchange);
  void series(request::ApiRequest request, request::Exchange exchange);
  void index_stats(request::ApiRequest request, request::Exchange exchange);
  /// Bytes of texts by streams' labels, of a time and by steps.
  void volume(request::ApiRequest request, request::Exchange exchange);
  void volume_range(request::ApiRequest request, request::Exchange exchange);
  void detected_labels(request::ApiRequest request, request::Exchange exchange);
  /// Of the last lines of a query: which fields they have, and which values one of them.
  void detected_fields(request::ApiRequest request, request::Exchange exchange);
  void detected_field_values(request::ApiRequest request, request::Exchange exchange);
  void format_query(request::ApiRequest request, request::Exchange exchange);
  void build_info(request::ApiRequest request, request::Exchange exchange);

 private:
  /// `answer` makes the answer of a list.
  void list(Result<StreamListQuestion> question, request::Exchange exchange,
            Task<Result<net::Response>(StreamList)> answer);

  void volumes(request::ApiRequest request, bool is_instant, request::Exchange exchange);
  void scan_fields(request::ApiRequest request, std::optional<std::string> name,
                   request::Exchange exchange);
  void answer(Result<MetricQuestion> question, request::Exchange exchange);

  stores::Stores& stores_;
  StreamCache streams_;
  // Apart: a metric query keeps its turn while it waits for storage, a page of lines does not.
  QueryThreads metric_threads_;
  QueryThreads page_threads_;
};

}  // namespace vigia::router::api::loki
