// What the pages show: overview, curves, alerts, and what to know of this installation.
#include "libs/json/writer.hpp"
#include "services/monitor/api/parts.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/live/node_metrics.hpp"
#include "services/monitor/live/overview.hpp"
#include "services/monitor/store/nodes.hpp"

namespace vigia::monitor::api {
namespace {

ApiResult overview(const ApiCall& call, const ApiParts& parts) {
  const auto live = parts.live.current();
  auto text = parts.database.read([&](store::Connection& connection) {
    return live::write_overview(call.principal.customer, *live, parts.clock.wall_ms(), connection);
  });
  if (!text) return refuse(text.error());
  return json_answer(200, std::move(*text));
}

std::string_view state_of(const live::ActiveAlert& alert) {
  if (alert.is_inhibited) return "inhibited";
  return alert.is_silenced ? "silenced" : "firing";
}

void write_alert(const live::ActiveAlert& alert, json::JsonWriter& writer) {
  writer.begin_object()
      .member("id", alert.id)
      .member("name", alert.name)
      .member("severity", alert.severity)
      .member("state", state_of(alert))
      .member_or_null("customer_id",
                      alert.customer ? std::optional(alert.customer->text()) : std::nullopt)
      .member_or_null("node_id",
                      alert.node_id.empty() ? std::nullopt : std::optional(alert.node_id))
      .member("summary", alert.summary)
      .member("summary_en", alert.summary_en.empty() ? alert.summary : alert.summary_en)
      .member_time("started_at", alert.started_ms);
  writer.key("labels").begin_object();
  for (const auto& label : alert.labels) writer.member(label.name, label.value);
  writer.end_object().end_object();
}

// Of one customer, or of everybody: `wanted` may be another's, of whom nothing is said.
void write_left_out(const std::optional<CustomerId>& whose, const std::optional<CustomerId>& wanted,
                    const live::LiveState& live, json::JsonWriter& writer) {
  std::size_t left_out = 0;
  bool is_at_least = false;
  for (const auto& [customer, sight] : live.alerts_of) {
    if ((whose && customer != whose) || (wanted && customer != wanted)) continue;
    left_out += sight.left_out;
    is_at_least = is_at_least || sight.is_at_least;
  }
  writer.member("left_out", static_cast<std::int64_t>(left_out))
      .member_bool("are_more_left_out", is_at_least);
}

ApiResult alerts(const ApiCall& call, const ApiParts& parts) {
  std::optional<CustomerId> wanted;
  if (const auto text = call.parameter("customer_id")) {
    auto id = CustomerId::parse(*text);
    if (!id) return refuse(id.error());
    wanted = std::move(*id);
  }
  const auto live = parts.live.current();
  const auto now_ms = parts.clock.wall_ms();
  const auto& whose = call.principal.customer ? call.principal.customer : wanted;
  const bool is_there = live::is_alertmanager_known(*live, now_ms);
  // Of all of them those are told that are known; the overview says whose are not.
  if (whose ? !live::are_alerts_known(whose, *live, now_ms) : !is_there) {
    return tl::unexpected<Refusal>(
        Refusal(503, "unavailable", std::string(live::alerts_missing(is_there))));
  }
  json::JsonWriter writer;
  writer.begin_object().key("alerts").begin_array();
  for (const auto& alert : live->alerts) {
    if (call.principal.customer && alert.customer != call.principal.customer) continue;
    if (wanted && alert.customer != wanted) continue;
    write_alert(alert, writer);
  }
  writer.end_array();
  write_left_out(whose, wanted, *live, writer);
  writer.end_object();
  return json_answer(200, writer.take());
}

ApiResult metrics(const ApiCall& call, const ApiParts& parts) {
  auto node_id = NodeId::parse(call.path.at("node_id"));
  if (!node_id) return not_found();
  const auto now_ms = parts.clock.wall_ms();
  const auto grid = live::grid_of(call.parameter("range").value_or("1h"), now_ms);
  if (!grid) return invalid("range: one of 15m, 1h, 6h, 24h, 7d, 30d, 90d, 1y, 2y");
  auto node = parts.database.read([&](store::Connection& connection) {
    return store::find_node(call.customer->id, *node_id, connection);
  });
  if (!node) return refuse(node.error());
  if (!*node || (*node)->retired_ms != 0) return not_found();
  auto text = live::write_node_metrics(
      live::CurveAsk{call.customer->id, *node_id, *grid, now_ms, (*node)->created_ms},
      live::CurveSources{parts.router, parts.own_records});
  if (!text) {
    if (!is_retryable(text.error())) return refuse(text.error());
    return tl::unexpected<Refusal>(
        Refusal(503, "unavailable", "curves missing: the router does not answer"));
  }
  return json_answer(200, std::move(*text));
}

ApiResult system(const ApiCall& /*call*/, const ApiParts& parts) {
  const auto& settings = parts.settings;
  json::JsonWriter writer;
  writer.begin_object()
      .member("version", VIGIA_VERSION)
      .member("node_down_for", format_duration(settings.rules.node_down_for))
      .member_bool("provider_is_told", !settings.alertmanager.provider.webhook.empty())
      .member_bool("is_shortened",
                   settings.rules.node_down_for != alerting::RuleSettings{}.node_down_for);
  writer.key("addresses")
      .begin_object()
      .member("collector_grpc", settings.collector_grpc)
      .member("collector_http", settings.collector_http)
      .member("router", settings.router_public)
      .end_object()
      .end_object();
  return json_answer(200, writer.take());
}

}  // namespace

void add_overview_routes(ApiTable& table, ApiParts parts) {
  const auto add = [&](std::string path, Access access, auto function) {
    table.add("GET", std::move(path), access,
              [parts, function](const ApiCall& call) { return function(call, parts); });
  };
  add("/overview", Access::kLoggedIn, overview);
  add("/alerts", Access::kLoggedIn, alerts);
  add("/system", Access::kLoggedIn, system);
  table.add_waiting("GET", "/customers/{customer_id}/nodes/{node_id}/metrics", Access::kCustomer,
                    [parts](const ApiCall& call) { return metrics(call, parts); });
}

}  // namespace vigia::monitor::api
