// /api/v1/status/…: what clients look at to know whom they talk to.
#pragma once

#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// The version is the hot store's, by which clients choose their dialect. All else has the form
/// that Prometheus gives it and nothing in it: it would tell customers of the provider's set-up,
/// and of each other. Any thread.
class StatusApi {
 public:
  explicit StatusApi(stores::Stores& stores) : stores_(stores) {}

  void build_info(request::ApiRequest request, request::Exchange exchange);
  void flags(request::ApiRequest request, request::Exchange exchange);
  void config(request::ApiRequest request, request::Exchange exchange);
  void runtime_info(request::ApiRequest request, request::Exchange exchange);
  void tsdb(request::ApiRequest request, request::Exchange exchange);

 private:
  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
