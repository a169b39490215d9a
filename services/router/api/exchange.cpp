#include "services/router/api/exchange.hpp"

#include "libs/net/status.hpp"

namespace vigia::router {
namespace {

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                          0.25,  0.5,    1,     2.5,  5,     10,   30};
  return bounds;
}

}  // namespace

Exchange::Exchange(net::Responder responder, std::string route, service::MetricRegistry& metrics,
                   const Clock& clock)
    : responder_(std::move(responder)),
      route_(std::move(route)),
      metrics_(&metrics),
      clock_(&clock),
      began_(clock.steady()) {}

void Exchange::send(net::Response response) {
  metrics_
      ->counter("vigia_router_requests_total", "Requests by route and status",
                {{"route", route_}, {"code", std::to_string(response.status)}})
      .add();
  metrics_
      ->histogram("vigia_router_request_duration_seconds",
                  "Time from the whole request to its answer", latency_bounds(),
                  {{"route", route_}})
      .observe(std::chrono::duration<double>(clock_->steady() - began_).count());
  responder_.send(std::move(response));
}

void Exchange::fail(const Error& error) {
  net::Response response = net::prometheus_error(error);
  if (response.status == 401) response.headers.add("www-authenticate", "Bearer");
  send(std::move(response));
}

}  // namespace vigia::router
