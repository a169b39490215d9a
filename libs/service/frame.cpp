#include "libs/service/frame.hpp"

#include <utility>

#include "libs/service/process_metrics.hpp"

namespace vigia::service {

Result<void> ServiceFrame::show_metrics(std::string listen) {
  add_process_metrics(metrics_);
  auto server = MetricsServer::start(std::move(listen), metrics_);
  if (!server) return forward(server);
  metrics_server_ = *std::move(server);
  return {};
}

Result<net::Server*> ServiceFrame::open(net::ServerSettings settings, net::Handler& handler) {
  auto server = net::Server::start(std::move(settings), handler);
  if (!server) return forward(server);
  doors_.push_back(*std::move(server));
  return doors_.back().get();
}

Result<net::Server*> ServiceFrame::open_to_clients(net::ServerSettings settings,
                                                   net::Handler& handler) {
  // Made here and not by the server, since they are looked at beside it.
  settings.budgets = net::make_budgets(settings);
  add_door_metrics(metrics_, settings.budgets);
  return open(std::move(settings), handler);
}

void ServiceFrame::stop(TimePoint deadline) noexcept {
  // Whoever came last may use what the first ones give.
  for (auto door = doors_.rbegin(); door != doors_.rend(); ++door) (*door)->stop(deadline);
}

}  // namespace vigia::service
