// The door: who comes in by which path.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "libs/net/routes.hpp"
#include "services/router/access/access.hpp"
#include "services/router/api/jaeger/trace_api.hpp"
#include "services/router/api/prometheus/label_api.hpp"
#include "services/router/api/prometheus/query_api.hpp"
#include "services/router/api/prometheus/rule_api.hpp"
#include "services/router/request/exchange.hpp"

namespace vigia::router {

/// Every path that is served stands in its constructor; all else is 404. Callers are checked before
/// a byte of their body is kept. Handlers get the caller and the parameters, nothing else of the
/// request: no header of a client can reach an upstream. Any event loop.
class Gateway final : public net::Handler {
 public:
  /// The references must outlive it.
  Gateway(stores::Stores& stores, const access::Access& access, service::MetricRegistry& metrics,
          std::size_t in_flight_max, std::function<bool()> is_ready);

  std::optional<net::Response> admit(net::RequestHead& head) override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

 private:
  using Function = std::function<void(request::ApiRequest, request::Exchange)>;
  using Route = request::Exchange::Route;
  void mount_prometheus();
  void mount_jaeger();
  /// GET, and POST where a form may come in a body.
  void add(const Route& route, bool takes_post, const Function& function);
  void add(const std::string& method, const Route& route, const Function& function);
  void serve(const Route& route, const Function& function, net::Request request,
             net::PathValues values, net::Responder responder);

  void confirm_cold(request::ApiRequest request, request::Exchange exchange);

  stores::Stores& stores_;
  const access::Access& access_;
  service::MetricRegistry& metrics_;
  const Clock& clock_;
  access::InFlight in_flight_;
  api::prometheus::QueryApi queries_;
  api::prometheus::LabelApi labels_;
  api::prometheus::RuleApi rules_;
  api::jaeger::TraceApi traces_;
  net::Routes routes_;
};

}  // namespace vigia::router
