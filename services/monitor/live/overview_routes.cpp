#include "services/monitor/live/overview_routes.hpp"

#include "libs/json/writer.hpp"
#include "services/monitor/api/route_group.hpp"
#include "services/monitor/live/node_metrics.hpp"
#include "services/monitor/live/overview.hpp"
#include "services/monitor/nodes/nodes.hpp"

namespace vigia::monitor::live {
namespace {

api::ApiResult overview(const api::ApiCall& call, const OverviewParts& parts) {
  const auto live = parts.live.current();
  auto text = parts.database.read([&](store::DatabaseConnection& connection) {
    return write_overview(call.principal.customer, *live, parts.clock.wall_ms(), connection);
  });
  if (!text) return api::refuse(text.error());
  return api::json_answer(200, std::move(*text));
}

std::string_view state_of(const ActiveAlert& alert) {
  if (alert.is_inhibited) return "inhibited";
  return alert.is_silenced ? "silenced" : "firing";
}

void write_alert(const ActiveAlert& alert, json::JsonWriter& writer) {
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
                    const LiveState& live, json::JsonWriter& writer) {
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

api::ApiResult alerts(const api::ApiCall& call, const OverviewParts& parts) {
  std::optional<CustomerId> wanted;
  if (const auto text = call.parameter("customer_id")) {
    auto id = CustomerId::parse(*text);
    if (!id) return api::refuse(id.error());
    wanted = std::move(*id);
  }
  const auto live = parts.live.current();
  const auto now_ms = parts.clock.wall_ms();
  const auto& whose = call.principal.customer ? call.principal.customer : wanted;
  const bool is_there = is_alertmanager_known(*live, now_ms);
  // Of all of them those are told that are known; the overview says whose are not.
  if (whose ? !are_alerts_known(whose, *live, now_ms) : !is_there) {
    return tl::unexpected<api::Refusal>(
        api::Refusal(503, "unavailable", std::string(alerts_missing(is_there))));
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
  return api::json_answer(200, writer.take());
}

api::ApiResult metrics(const api::ApiCall& call, const OverviewParts& parts) {
  auto node_id = NodeId::parse(call.path.at("node_id"));
  if (!node_id) return api::not_found();
  const auto now_ms = parts.clock.wall_ms();
  const auto grid = grid_of(call.parameter("range").value_or("1h"), now_ms);
  if (!grid) return api::invalid("range: one of 15m, 1h, 6h, 24h, 7d, 30d, 90d, 1y, 2y");
  auto node = parts.database.read([&](store::DatabaseConnection& connection) {
    return nodes::find_node(*call.customer, *node_id, connection);
  });
  if (!node) return api::refuse(node.error());
  if (!*node || (*node)->retired_ms != 0) return api::not_found();
  auto text =
      write_node_metrics(CurveAsk{*call.customer, *node_id, *grid, now_ms, (*node)->created_ms},
                         CurveSources{parts.router, parts.own_records});
  if (!text) {
    if (!is_retryable(text.error())) return api::refuse(text.error());
    return tl::unexpected<api::Refusal>(
        api::Refusal(503, "unavailable", "curves missing: the router does not answer"));
  }
  return api::json_answer(200, std::move(*text));
}

api::ApiResult system(const api::ApiCall& /*call*/, const OverviewParts& parts) {
  const auto& here = parts.installation;
  json::JsonWriter writer;
  writer.begin_object()
      .member("version", VIGIA_VERSION)
      .member("node_down_for", format_duration(here.node_down_for))
      .member("kept_days", std::chrono::duration_cast<std::chrono::hours>(here.kept).count() / 24)
      .member_bool("provider_is_told", here.is_provider_told)
      .member_bool("is_shortened", !here.has_standard_waits);
  writer.key("addresses")
      .begin_object()
      .member("collector_grpc", here.collector_grpc)
      .member("collector_http", here.collector_http)
      .member("router", here.router)
      .end_object()
      .end_object();
  return api::json_answer(200, writer.take());
}

}  // namespace

void add_overview_routes(api::ApiTable& table, OverviewParts parts) {
  api::RouteGroup routes(table, std::move(parts));
  routes.add("GET", "/overview", api::Access::kLoggedIn, overview);
  routes.add("GET", "/alerts", api::Access::kLoggedIn, alerts);
  routes.add("GET", "/system", api::Access::kLoggedIn, system);
  routes.add_waiting("GET", "/customers/{customer_id}/nodes/{node_id}/metrics",
                     api::Access::kCustomer, metrics);
}

}  // namespace vigia::monitor::live
