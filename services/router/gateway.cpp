#include "services/router/gateway.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/net/status.hpp"
#include "libs/service/health.hpp"
#include "services/router/api/loki/answer.hpp"
#include "services/router/api/prometheus/answer.hpp"

namespace vigia::router {
namespace {

// To read, parse and fence what is longer takes some milliseconds, which on an event loop are
// other customers', too: so such requests wait in the rows of the readers. So does whoever has
// taken its part of the loops' time with shorter ones (access/loop_time.hpp).
constexpr std::size_t kLargeRequestBytes = 32U << 10U;
constexpr std::string_view kReadPath = "/api/v1/read";

/// Prometheus' own spelling, for its tools.
service::HealthPaths prometheus_health_paths() { return {"/-/healthy", "/-/ready", {}}; }

constexpr const char* kApart = "vigia_router_requests_apart_total";
constexpr const char* kApartHelp =
    "Requests that were read in their customers' rows, since they are large or their customer's "
    "have taken its part of the event loops' time";
constexpr const char* kTailPath = "/loki/api/v1/tail";

/// Paths that need no token.
bool is_open(std::string_view path) {
  return service::HealthPaths().contain(path) || prometheus_health_paths().contain(path);
}

/// What lies in no API's paths is no API's client's: it gets the form of the monitor's interface.
net::Response plain_form(const Error& error, int status) {
  net::Response response = net::json_error(error);
  response.status = status;
  return response;
}

/// Prometheus' clients look at the root to see whether anybody is there.
void greet(request::ApiRequest /*request*/, request::Exchange exchange) {
  net::Response response;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body =
      "Vigía's router. Prometheus' API lies under /api/v1 and at /federate, Loki's under /loki, "
      "Jaeger's under /jaeger; services/router/README.md lists what is served.\n";
  exchange.send(std::move(response));
}

}  // namespace

Gateway::Gateway(stores::Stores& stores, cache::KeptAnswers& kept, const access::Access& access,
                 service::MetricRegistry& metrics, request::SlowQueries& slow,
                 std::size_t in_flight_max, std::function<bool()> is_ready,
                 std::size_t tails_per_customer_max)
    : stores_(stores),
      access_(access),
      metrics_(metrics),
      clock_(stores.clock()),
      slow_(slow),
      in_flight_(in_flight_max, stores.shares()),
      loop_time_(stores.clock()),
      large_(metrics.counter(kApart, kApartHelp, {{"why", "large"}})),
      costly_(metrics.counter(kApart, kApartHelp, {{"why", "costly"}})),
      queries_(stores, kept, metrics),
      labels_(stores),
      rules_(stores),
      metadata_(stores),
      exemplars_(stores),
      federation_(stores),
      reads_(stores),
      status_(stores),
      traces_(stores),
      searches_(stores),
      logs_(stores),
      tails_(stores, access, metrics, tails_per_customer_max) {
  // One row an API: where its paths begin, and how it tells an error. The first that fits counts.
  mount_prometheus(branch("/api/v1/", api::prometheus::error_form));
  mount_federation(branch("/federate", api::prometheus::text_error_form));
  mount_jaeger(branch("/jaeger/", api::jaeger::error_form));
  mount_loki(branch("/loki/", api::loki::error_form));
  mount_own(branch("", plain_form), std::move(is_ready));
}

Gateway::Branch& Gateway::branch(std::string prefix, net::ErrorForm error_form) {
  return branches_.emplace_back(std::move(prefix), error_form);
}

Gateway::Branch& Gateway::branch_of(std::string_view path) {
  for (Branch& branch : branches_) {
    if (path.starts_with(branch.prefix)) return branch;
  }
  return branches_.back();
}

void Gateway::mount_own(Branch& branch, std::function<bool()> is_ready) {
  service::add_health_routes(branch.routes, is_ready);
  service::add_health_routes(branch.routes, std::move(is_ready), prometheus_health_paths());
  add(branch, "/", false, greet);
}

void Gateway::mount_prometheus(Branch& branch) {
  using api::prometheus::ExemplarApi;
  using api::prometheus::LabelApi;
  using api::prometheus::MetadataApi;
  using api::prometheus::QueryApi;
  using api::prometheus::RuleApi;
  using api::prometheus::StatusApi;
  const auto mount = [&](const std::string& path, bool takes_post, auto& handler, auto method) {
    add(branch, path, takes_post,
        [&handler, method](request::ApiRequest request, request::Exchange exchange) {
          (handler.*method)(std::move(request), std::move(exchange));
        });
  };
  mount("/api/v1/query", true, queries_, &QueryApi::query);
  mount("/api/v1/query_range", true, queries_, &QueryApi::query_range);
  mount("/api/v1/query_exemplars", true, exemplars_, &ExemplarApi::query_exemplars);
  mount("/api/v1/format_query", true, queries_, &QueryApi::format_query);
  mount("/api/v1/parse_query", true, queries_, &QueryApi::parse_query);
  mount("/api/v1/series", true, labels_, &LabelApi::series);
  mount("/api/v1/labels", true, labels_, &LabelApi::labels);
  mount("/api/v1/label/{name}/values", false, labels_, &LabelApi::label_values);
  mount("/api/v1/rules", false, rules_, &RuleApi::rules);
  mount("/api/v1/alerts", false, rules_, &RuleApi::alerts);
  mount("/api/v1/metadata", false, metadata_, &MetadataApi::metadata);
  mount("/api/v1/targets", false, rules_, &RuleApi::targets);
  mount("/api/v1/status/buildinfo", false, status_, &StatusApi::build_info);
  mount("/api/v1/status/flags", false, status_, &StatusApi::flags);
  mount("/api/v1/status/config", false, status_, &StatusApi::config);
  mount("/api/v1/status/runtimeinfo", false, status_, &StatusApi::runtime_info);
  mount("/api/v1/status/tsdb", false, status_, &StatusApi::tsdb);
  add_method(
      branch, "POST", std::string(kReadPath),
      [this](request::ApiRequest request, request::Exchange exchange) {
        reads_.read(std::move(request), std::move(exchange));
      },
      true);
  add_method(branch, "POST", "/api/v1/cold/confirm",
             [this](request::ApiRequest request, request::Exchange exchange) {
               confirm_cold(std::move(request), std::move(exchange));
             });
}

void Gateway::mount_federation(Branch& branch) {
  add(branch, "/federate", false, [this](request::ApiRequest request, request::Exchange exchange) {
    federation_.federate(std::move(request), std::move(exchange));
  });
}

void Gateway::mount_jaeger(Branch& branch) {
  using api::jaeger::SearchApi;
  add(branch, "/jaeger/api/traces/{id}", false,
      [this](request::ApiRequest request, request::Exchange exchange) {
        traces_.trace(std::move(request), std::move(exchange));
      });
  const auto mount = [&](const std::string& path, auto method) {
    add(branch, path, false,
        [this, method](request::ApiRequest request, request::Exchange exchange) {
          (searches_.*method)(std::move(request), std::move(exchange));
        });
  };
  mount("/jaeger/api/services", &SearchApi::services);
  mount("/jaeger/api/services/{service*}/operations", &SearchApi::operation_names);
  mount("/jaeger/api/operations", &SearchApi::operations);
  mount("/jaeger/api/traces", &SearchApi::traces);
  mount("/jaeger/api/dependencies", &SearchApi::dependencies);
}

void Gateway::mount_loki(Branch& branch) {
  using api::loki::LogApi;
  const auto mount = [&](const std::string& path, bool takes_post, auto method) {
    add(branch, "/loki/api/v1/" + path, takes_post,
        [this, method](request::ApiRequest request, request::Exchange exchange) {
          (logs_.*method)(std::move(request), std::move(exchange));
        });
  };
  mount("query_range", true, &LogApi::query_range);
  mount("query", true, &LogApi::query);
  mount("labels", true, &LogApi::labels);
  mount("label", true, &LogApi::labels);  // Loki's older name
  mount("label/{name}/values", true, &LogApi::label_values);
  mount("series", true, &LogApi::series);
  mount("index/stats", true, &LogApi::index_stats);
  mount("index/volume", true, &LogApi::volume);
  mount("index/volume_range", true, &LogApi::volume_range);
  mount("detected_labels", true, &LogApi::detected_labels);
  mount("detected_fields", true, &LogApi::detected_fields);
  mount("detected_field/{name}/values", true, &LogApi::detected_field_values);
  mount("format_query", true, &LogApi::format_query);
  mount("status/buildinfo", false, &LogApi::build_info);
  add(branch, kTailPath, false, [this](request::ApiRequest request, request::Exchange exchange) {
    tails_.tail(std::move(request), std::move(exchange));
  });
}

/// A person says that the cold store that is there now is the right one.
void Gateway::confirm_cold(request::ApiRequest request, request::Exchange exchange) {
  if (request.caller.customer) {
    return exchange.fail({ErrorCode::kForbidden,
                          "only an operator's token without X-Vigia-Customer may say that a store "
                          "is the right one"});
  }
  // Not on an event loop: it waits for a disk.
  stores_.readers().read("", 0, [this, exchange = std::move(exchange)]() mutable {
    const auto confirmed = stores_.known_cold().confirm();
    if (!confirmed) return exchange.fail(confirmed.error());
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.status = *confirmed ? 200 : 409;
    response.body = *confirmed ? R"({"status":"confirmed"})" : R"({"status":"nothing to confirm"})";
    exchange.send(std::move(response));
  });
}

void Gateway::add(Branch& branch, const std::string& path, bool takes_post,
                  const Function& function) {
  add_method(branch, "GET", path, function);
  if (takes_post) add_method(branch, "POST", path, function);
}

void Gateway::add_method(Branch& branch, const std::string& method, const std::string& path,
                         const Function& function, bool takes_message) {
  branch.routes.add(
      method, path,
      [this, route = Route{path, branch.error_form, takes_message}, function](
          net::Request request, const net::PathValues& values, net::Responder responder) {
        serve(route, function, std::move(request), values, std::move(responder));
      });
}

std::optional<net::Response> Gateway::admit(net::RequestHead& head) {
  if (is_open(head.path)) return std::nullopt;
  const auto caller = access_.identify(head);
  if (!caller) return refuse(head, caller.error());
  if (caller->customer) head.owner = caller->customer->text();
  return std::nullopt;
}

net::Response Gateway::refuse(const net::RequestHead& head, const Error& error) {
  net::Response response = branch_of(head.path).error_form(error, net::http_status(error.code));
  metrics_
      .counter("vigia_router_requests_refused_total", "Requests refused before a handler saw them",
               {{"code", std::to_string(response.status)}})
      .add();
  return response;
}

// Snappy's block format: the parser of what is in it bounds it and reads it.
bool Gateway::reads_coding(const net::RequestHead& head, std::string_view coding) const {
  return coding == "snappy" && head.path == kReadPath;
}

void Gateway::handle(net::Request request, net::Responder responder) {
  net::Routes& routes = branch_of(request.path).routes;
  routes.handle(std::move(request), std::move(responder));
}

std::vector<std::pair<std::string, std::string>> Gateway::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Branch& branch : branches_) {
    auto own = branch.routes.list();
    std::move(own.begin(), own.end(), std::back_inserter(all));
  }
  return all;
}

void Gateway::serve(const Route& route, const Function& function, net::Request request,
                    net::PathValues values, net::Responder responder) {
  request::Exchange exchange(std::move(responder), route, metrics_, clock_);
  auto caller = access_.identify(request);  // again: the token may have been revoked since
  if (!caller) return exchange.fail(caller.error());
  auto place = in_flight_.enter(caller->customer);
  if (!place) {
    return exchange.fail({ErrorCode::kOverLimit, "too many requests under way; wait for some",
                          std::chrono::seconds(1)});
  }
  exchange.hold(std::move(*place));
  exchange.bound(caller->limits);
  const std::string customer = caller->customer ? caller->customer->text() : std::string();
  const bool is_large = request.body.size() + request.query.size() >= kLargeRequestBytes;
  if (!is_large && loop_time_.has_left(customer)) {
    const access::LoopWork work(loop_time_, customer);
    return dispatch({route, function}, std::move(*caller), std::move(request), std::move(values),
                    std::move(exchange));
  }
  (is_large ? large_ : costly_).add();
  stores_.readers().run_part(
      customer, [this, &route, &function, caller = std::move(*caller), request = std::move(request),
                 values = std::move(values), exchange = std::move(exchange)]() mutable {
        dispatch({route, function}, std::move(caller), std::move(request), std::move(values),
                 std::move(exchange));
      });
}

void Gateway::dispatch(const Mounted& mounted, access::Caller caller, net::Request request,
                       net::PathValues values, request::Exchange exchange) {
  std::string message;
  if (mounted.route.takes_message) message = std::exchange(request.body, {});
  auto parameters = request::Parameters::read(request);
  if (!parameters) return exchange.fail(parameters.error());
  if (slow_.is_on()) {
    exchange.tell_if_slow(slow_, request::AskedQuery::of(caller, *parameters));
  }
  // By name: of two arguments the moved exchange may be the first to be made.
  request::ApiRequest asked{
      std::move(caller), std::move(*parameters), std::move(values), exchange.interest(),
      request.headers.get("x-loki-response-encoding-flags").find("categorize-labels") !=
          std::string_view::npos};
  if (mounted.route.name == kTailPath) {
    asked.opening = std::make_shared<net::RequestHead>(request);
  }
  asked.message = std::move(message);
  mounted.function(std::move(asked), std::move(exchange));
}

}  // namespace vigia::router
