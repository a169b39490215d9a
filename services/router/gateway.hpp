// The door: who comes in by which path.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "libs/net/routes.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/api/exchange.hpp"
#include "services/router/api/label_api.hpp"
#include "services/router/api/query_api.hpp"
#include "services/router/api/rule_api.hpp"
#include "services/router/api/trace_api.hpp"

namespace vigia::router {

/// Every path that is served stands in its constructor; all else is 404. Callers are checked before
/// a byte of their body is kept. Handlers get the caller and the parameters, nothing else of the
/// request: no header of a client can reach an upstream. Any event loop.
class Gateway final : public net::Handler {
 public:
  /// The references must outlive it.
  Gateway(api::Stores& stores, const access::Access& access, service::MetricRegistry& metrics,
          std::function<bool()> is_ready);

  std::optional<net::Response> admit(net::RequestHead& head) override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

 private:
  using Function = std::function<void(api::ApiRequest, api::Exchange)>;
  void add(const std::string& pattern, bool takes_post, const Function& function);
  void serve(const std::string& pattern, const Function& function, net::Request request,
             net::PathValues values, net::Responder responder);

  void confirm_cold(api::ApiRequest request, api::Exchange exchange);

  api::Stores& stores_;
  const access::Access& access_;
  service::MetricRegistry& metrics_;
  const Clock& clock_;
  access::InFlight in_flight_;
  api::QueryApi queries_;
  api::LabelApi labels_;
  api::RuleApi rules_;
  api::TraceApi traces_;
  net::Routes routes_;
};

}  // namespace vigia::router
