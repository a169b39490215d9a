// /health and /ready, and the port of a process' own metrics.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/net/budget.hpp"
#include "libs/net/routes.hpp"
#include "libs/service/metrics.hpp"

namespace vigia::service {

struct HealthPaths {
  std::string health = "/health";
  std::string ready = "/ready";
  /// Whether this is one of the two, which nobody needs a token for.
  bool contain(std::string_view path) const { return path == health || path == ready; }
  /// Where set, adds to the answer of `health` what neighbours may know without a token.
  std::function<void(net::Response&)> mark;
};
/// Adds GET /health, which says that the process runs, and GET /ready, which asks `is_ready` (on an
/// event loop: it must not block): 200 {"status":"ok"} or 503 {"status":"unavailable"}, a status
/// word only.
void add_health_routes(net::Routes& routes, std::function<bool()> is_ready,
                       const HealthPaths& paths = {});

/// What clients of a door have not read of their answers (net::ServerSettings::answer_bytes_max).
void show_answers(const MetricRegistry::Emit& emit, const net::ServerBudgets& budgets);
/// The same at each scrape.
void add_door_metrics(MetricRegistry& registry, std::shared_ptr<const net::ServerBudgets> budgets);

/// Serves GET /metrics on a port of its own, one event loop. Text or OpenMetrics by Accept.
class MetricsServer {
 public:
  static Result<std::unique_ptr<MetricsServer>> start(std::string listen,
                                                      const MetricRegistry& registry);
  virtual ~MetricsServer() = default;
  virtual std::string address() const = 0;
};

}  // namespace vigia::service
