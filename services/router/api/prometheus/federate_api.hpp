// /federate: the last samples of series, as a Prometheus scrapes them.
#pragma once

#include "libs/net/message.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/run/federation_runner.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// An error as Prometheus tells it there, a net::ErrorForm: a line of text.
net::Response text_error_form(const Error& error, int status);

/// As hot's /federate tells it, of several shards merged, in Prometheus' text format: float samples
/// alone, each with its own time, without types. Any thread.
class FederateApi {
 public:
  explicit FederateApi(stores::Stores& stores) : stores_(stores) {}

  /// Parameters: `match[]`. What may be missing stands in front as comments.
  void federate(request::ApiRequest request, request::Exchange exchange);

 private:
  void start(plan::Question question, std::shared_ptr<access::Interest> interest,
             run::FederationRunner::Done done);

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
