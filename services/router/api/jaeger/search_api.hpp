// Below /jaeger/api: services, operations, searches for traces, and who calls whom, from storage.
#pragma once

#include "services/router/api/jaeger/answers.hpp"
#include "services/router/api/jaeger/cold_search.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::jaeger {

/// Each asks storage once, in the customer's turn, among his look-ups. An operator names the
/// customer: traces of several under one id are no trace. Any thread.
class SearchApi {
 public:
  explicit SearchApi(stores::Stores& stores) : stores_(stores) {}

  void services(request::ApiRequest request, request::Exchange exchange);
  void operations(request::ApiRequest request, request::Exchange exchange);
  /// Of the service in the path.
  void operation_names(request::ApiRequest request, request::Exchange exchange);
  void traces(request::ApiRequest request, request::Exchange exchange);
  void dependencies(request::ApiRequest request, request::Exchange exchange);

 private:
  void ask(Result<ColdSearch> search, const request::ApiRequest& request,
           request::Exchange exchange, Show show);
  Result<net::Response> shown(const ColdSearch& search, const std::string& payer,
                              const wire::prometheus_api::Envelope& answer, Show show) const;
  Told told_of(const ColdSearch& search, const wire::prometheus_api::Envelope& answer) const;

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::jaeger
