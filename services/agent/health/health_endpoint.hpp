// GET /health: as JSON for people and scripts, as metrics for Prometheus; always 200, since the
// agent that answers is alive. GET /ready: 200, or 503 while degraded.
#pragma once

#include <string>

#include "libs/net/server.hpp"
#include "services/agent/health/agent_status.hpp"

namespace vigia::agent::health {

enum class HealthForm { kJson, kText, kOpenMetrics };

/// OpenMetrics where Accept names application/openmetrics-text, Prometheus' text format where it
/// names text/plain with a version, else JSON.
HealthForm health_form(std::string_view accept);

/// "45s", "12m5s", "72h", "72h5m": hours are the largest unit, as the seed writes it.
std::string format_uptime(Duration uptime);

/// "25%", rounded; the exact number stands beside it in the answer.
std::string format_percent(double percent);

/// Thread contract: event loops.
class HealthEndpoint final : public net::Handler {
 public:
  /// Says whose node it is. `token`: what is asked for; "": none.
  HealthEndpoint(const CustomerId& customer, const NodeId& node, std::string token,
                 AgentStatus& status);
  std::optional<net::Response> admit(net::RequestHead& head) override;
  void handle(net::Request request, net::Responder responder) override;

 private:
  net::Response health(std::string_view accept);
  net::Response ready();
  std::string json();

  std::string customer_;
  std::string node_;
  std::string token_;
  AgentStatus& status_;
};

}  // namespace vigia::agent::health
