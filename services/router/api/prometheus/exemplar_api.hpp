// /api/v1/query_exemplars: what a query's series were seen with, of hot and cold together.
#pragma once

#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// Hot has the last of all customers in its memory, storage those of a customer as long as samples.
/// Any thread.
class ExemplarApi {
 public:
  explicit ExemplarApi(stores::Stores& stores) : stores_(stores) {}

  /// Parameters: `query`, `start`, `end`.
  void query_exemplars(request::ApiRequest request, request::Exchange exchange);

 private:
  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
