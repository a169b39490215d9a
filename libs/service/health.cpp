#include "libs/service/health.hpp"

#include "libs/net/server.hpp"
#include "libs/service/metrics_page.hpp"

namespace vigia::service {

namespace {

net::Response status_word(bool is_good) {
  net::Response response;
  response.status = is_good ? 200 : 503;
  response.headers.add("content-type", "application/json");
  response.headers.add("cache-control", "no-store");
  response.body = is_good ? R"({"status":"ok"})" : R"({"status":"unavailable"})";
  return response;
}

class OwnPortMetrics final : public MetricsServer {
 public:
  explicit OwnPortMetrics(const MetricRegistry& registry) {
    routes_.add(
        "GET", "/metrics",
        [&registry](const net::Request& request, const net::PathValues&, net::Responder responder) {
          responder.send(metrics_page(registry, metrics_form(request.headers.get("accept"))));
        });
  }

  Result<void> listen(std::string address) {
    net::ServerSettings settings;
    settings.name = "metrics";
    settings.listen = std::move(address);
    // Scraped a few times a minute: one thread, and little memory for whoever finds the port.
    settings.loops = 1;
    settings.body_bytes_max = 64U << 10U;
    settings.connections_max = 256;
    auto server = net::Server::start(std::move(settings), routes_);
    if (!server) return forward(server);
    server_ = std::move(*server);
    return {};
  }

  std::string address() const override { return server_->address(); }

 private:
  net::Routes routes_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace

void add_health_routes(net::Routes& routes, std::function<bool()> is_ready,
                       const HealthPaths& paths) {
  routes.add(
      "GET", paths.health,
      [mark = paths.mark](const net::Request&, const net::PathValues&, net::Responder responder) {
        net::Response response = status_word(true);
        if (mark) mark(response);
        responder.send(std::move(response));
      });
  routes.add("GET", paths.ready,
             [is_ready = std::move(is_ready)](const net::Request&, const net::PathValues&,
                                              net::Responder responder) {
               responder.send(status_word(is_ready()));
             });
}

void show_answers(const MetricRegistry::Emit& emit, const net::ServerBudgets& budgets) {
  emit("vigia_doors_answer_bytes", "Answers that their clients have not read", MetricType::kGauge,
       {}, static_cast<double>(budgets.answers.total()));
  emit("vigia_doors_answers_refused_total",
       "Answers that became 503, since their address had too much that it had not read",
       MetricType::kCounter, {}, static_cast<double>(budgets.answers_refused.load()));
}

void add_door_metrics(MetricRegistry& registry, std::shared_ptr<const net::ServerBudgets> budgets) {
  registry.on_collect([budgets = std::move(budgets)](const MetricRegistry::Emit& emit) {
    show_answers(emit, *budgets);
  });
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(std::string listen,
                                                            const MetricRegistry& registry) {
  auto server = std::make_unique<OwnPortMetrics>(registry);
  if (auto result = server->listen(std::move(listen)); !result) return forward(result);
  return server;
}

}  // namespace vigia::service
