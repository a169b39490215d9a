#include "services/router/gateway.hpp"

#include <utility>

#include "libs/net/status.hpp"
#include "libs/service/health.hpp"

namespace vigia::router {
namespace {

/// Prometheus' own spelling, for its tools.
service::HealthPaths prometheus_health_paths() { return {"/-/healthy", "/-/ready", {}}; }

/// Paths that need no token.
bool is_open(std::string_view path) {
  return service::HealthPaths().contain(path) || prometheus_health_paths().contain(path);
}

/// Prometheus' clients look at the root to see whether anybody is there.
void greet(request::ApiRequest /*request*/, request::Exchange exchange) {
  net::Response response;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body =
      "Vigía's router. The API lies under /api/v1; services/router/README.md lists it.\n";
  exchange.send(std::move(response));
}

}  // namespace

Gateway::Gateway(stores::Stores& stores, const access::Access& access,
                 service::MetricRegistry& metrics, std::size_t in_flight_max,
                 std::function<bool()> is_ready)
    : stores_(stores),
      access_(access),
      metrics_(metrics),
      clock_(stores.clock()),
      in_flight_(in_flight_max, stores.shares()),
      queries_(stores),
      labels_(stores),
      rules_(stores),
      traces_(stores),
      routes_(net::prometheus_error) {
  service::add_health_routes(routes_, is_ready);
  service::add_health_routes(routes_, std::move(is_ready), prometheus_health_paths());
  add("/", false, greet);
  const auto queries = [this](auto method) {
    return [this, method](request::ApiRequest request, request::Exchange exchange) {
      (queries_.*method)(std::move(request), std::move(exchange));
    };
  };
  const auto labels = [this](auto method) {
    return [this, method](request::ApiRequest request, request::Exchange exchange) {
      (labels_.*method)(std::move(request), std::move(exchange));
    };
  };
  const auto rules = [this](auto method) {
    return [this, method](request::ApiRequest request, request::Exchange exchange) {
      (rules_.*method)(std::move(request), std::move(exchange));
    };
  };
  add("/api/v1/query", true, queries(&api::prometheus::QueryApi::query));
  add("/api/v1/query_range", true, queries(&api::prometheus::QueryApi::query_range));
  add("/api/v1/query_exemplars", true, queries(&api::prometheus::QueryApi::query_exemplars));
  add("/api/v1/format_query", true, queries(&api::prometheus::QueryApi::format_query));
  add("/api/v1/parse_query", true, queries(&api::prometheus::QueryApi::parse_query));
  add("/api/v1/series", true, labels(&api::prometheus::LabelApi::series));
  add("/api/v1/labels", true, labels(&api::prometheus::LabelApi::labels));
  add("/api/v1/label/{name}/values", false, labels(&api::prometheus::LabelApi::label_values));
  add("/api/v1/rules", false, rules(&api::prometheus::RuleApi::rules));
  add("/api/v1/alerts", false, rules(&api::prometheus::RuleApi::alerts));
  add("/api/v1/metadata", false, rules(&api::prometheus::RuleApi::metadata));
  add("/api/v1/status/buildinfo", false, rules(&api::prometheus::RuleApi::build_info));
  add("/jaeger/api/traces/{id}", false,
      [this](request::ApiRequest request, request::Exchange exchange) {
        traces_.trace(std::move(request), std::move(exchange));
      });
  const std::string confirm = "/api/v1/cold/confirm";
  routes_.add("POST", confirm,
              [this, confirm](net::Request request, const net::PathValues& values,
                              net::Responder responder) {
                const auto answer = [this](request::ApiRequest asked, request::Exchange exchange) {
                  confirm_cold(std::move(asked), std::move(exchange));
                };
                serve(confirm, answer, std::move(request), values, std::move(responder));
              });
}

/// A person says that the cold store that is there now is the right one.
void Gateway::confirm_cold(request::ApiRequest request, request::Exchange exchange) {
  if (request.caller.customer) {
    return exchange.fail({ErrorCode::kForbidden, "operators confirm a store, for all customers"});
  }
  auto open = std::make_shared<request::Exchange>(std::move(exchange));
  // Not on an event loop: it waits for a disk.
  stores_.readers().read("", [this, open] {
    const auto confirmed = stores_.known_cold().confirm();
    if (!confirmed) return open->fail(confirmed.error());
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.status = *confirmed ? 200 : 409;
    response.body = *confirmed ? R"({"status":"confirmed"})" : R"({"status":"nothing to confirm"})";
    open->send(std::move(response));
  });
}

void Gateway::add(const std::string& pattern, bool takes_post, const Function& function) {
  const auto route = [this, pattern, function](net::Request request, const net::PathValues& values,
                                               net::Responder responder) {
    serve(pattern, function, std::move(request), values, std::move(responder));
  };
  routes_.add("GET", pattern, route);
  if (takes_post) routes_.add("POST", pattern, route);
}

std::optional<net::Response> Gateway::admit(net::RequestHead& head) {
  if (is_open(head.path)) return std::nullopt;
  const auto caller = access_.identify(head);
  if (!caller) return refuse(head, caller.error());
  if (caller->customer) head.owner = caller->customer->text();
  return std::nullopt;
}

net::Response Gateway::refuse(const net::RequestHead& /*head*/, const Error& error) {
  net::Response response = net::prometheus_error(error);
  metrics_
      .counter("vigia_router_requests_refused_total", "Requests refused before a handler saw them",
               {{"code", std::to_string(response.status)}})
      .add();
  return response;
}

void Gateway::handle(net::Request request, net::Responder responder) {
  routes_.handle(std::move(request), std::move(responder));
}

void Gateway::serve(const std::string& pattern, const Function& function, net::Request request,
                    net::PathValues values, net::Responder responder) {
  request::Exchange exchange(std::move(responder), pattern, metrics_, clock_);
  auto caller = access_.identify(request);  // again: the token may have been revoked since
  if (!caller) return exchange.fail(caller.error());
  auto place = in_flight_.enter(caller->customer);
  if (!place) {
    return exchange.fail({ErrorCode::kOverLimit, "too many requests under way; wait for some",
                          std::chrono::seconds(1)});
  }
  exchange.hold(std::move(*place));
  auto parameters = request::Parameters::read(request);
  if (!parameters) return exchange.fail(parameters.error());
  // By name: of two arguments the moved exchange may be the first to be made.
  request::ApiRequest asked{std::move(*caller), std::move(*parameters), std::move(values),
                            exchange.interest()};
  function(std::move(asked), std::move(exchange));
}

}  // namespace vigia::router
