#include "services/monitor/inside/node_targets.hpp"

#include <set>

#include <fmt/format.h>

#include "libs/service/log.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/json/json.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/customers.hpp"
#include "services/monitor/store/nodes.hpp"

namespace vigia::monitor {
namespace {

// The discard port of this machine: nothing listens there.
constexpr std::string_view kNowhere = "127.0.0.1:9";

void write_target(const Node& node, const std::string& address, const std::string& path,
                  JsonWriter& writer) {
  writer.begin_object().key("targets").begin_array().string(address).end_array();
  writer.key("labels")
      .begin_object()
      .member("__metrics_path__", path)
      .member("customer_id", node.customer.text())
      .member("node_id", node.id.text())
      .member("node_region", node.region)
      .member("environment", node.environment)
      .member("reach", node.is_scraped() ? "scrape" : "push")
      // Otherwise it would be the address: ours for nodes that push, and a second series of `up`
      // for a node that moves, whose first one is down until Prometheus forgets it.
      .member("instance", node.id.text());
  // It never lived, so it is not down (CustomerNodeDown asks for series without this). From its
  // first data on its series is the one that it keeps.
  if (node.last_seen_ms == 0) writer.member("waiting", "true");
  writer.end_object().end_object();
}

std::string checked_address(const Node& node, AddressBook& addresses) {
  auto resolved = addresses.resolve(std::string(split_health_address(node.address).host_and_port));
  if (resolved) return *resolved;
  service::log_debug("node address not used", {{"customer_id", node.customer.text()},
                                               {"node_id", node.id.text()},
                                               {"error", resolved.error().message}});
  return std::string(kNowhere);
}

double health_value(const NodeLive& live, const std::string& name) {
  const auto found = live.health.find(name);
  return found == live.health.end() ? 0 : found->second;
}

std::string health_as_text(const NodeLive& live) {
  std::string text;
  std::string family;
  for (const auto& [name, value] : live.health) {
    const auto plain = name.substr(0, name.find('{'));
    if (plain != family) text += fmt::format("# TYPE {} gauge\n", plain);
    family = plain;
    text += fmt::format("{} {}\n", name, value);
  }
  return text;
}

std::string health_as_json(const NodeLive& live) {
  const bool is_reachable = health_value(live, "agent_collector_reachable") != 0;
  const auto uptime_s = static_cast<std::int64_t>(health_value(live, "agent_uptime_seconds"));
  JsonWriter writer;
  writer.begin_object()
      .member("status", is_reachable ? "healthy" : "degraded")
      .member_bool("collector_reachable", is_reachable)
      .member("buffer_usage",
              fmt::format("{:.0f}%", health_value(live, "agent_buffer_usage_percent")))
      .member("uptime", format_duration(std::chrono::seconds(uptime_s)))
      .end_object();
  return writer.take();
}

bool wants_text(std::string_view accept) {
  const auto open = accept.find("application/openmetrics-text");
  const auto plain = accept.find("text/plain");
  const auto type = std::min(open, plain);
  return type != std::string_view::npos && accept.find("version=", type) != std::string_view::npos;
}

}  // namespace

ScrapePlace place_of(const Node& node, AddressBook& addresses) {
  return {checked_address(node, addresses), split_health_address(node.address).is_encrypted};
}

Result<ShardTargets> write_targets(const std::string& shard, const std::string& own_address,
                                   AddressBook& addresses, Connection& connection) {
  auto customers = list_customers(connection);
  if (!customers) return forward(customers);
  auto nodes = list_all_nodes(connection);
  if (!nodes) return forward(nodes);
  std::set<CustomerId> assigned;
  for (const auto& customer : *customers) {
    if (customer.is_enabled && customer.hot_shard == shard) assigned.insert(customer.id);
  }
  ShardTargets targets;
  JsonWriter writer;
  writer.begin_array();
  for (const auto& node : *nodes) {
    if (!assigned.contains(node.customer)) continue;
    if (node.is_scraped()) {
      targets.places.emplace(NodeKey(node.customer, node.id), place_of(node, addresses));
    }
    write_target(node, own_address,
                 fmt::format("/nodes/{}/{}/{}", node.customer.text(), node.id.text(),
                             node.is_scraped() ? "scrape" : "health"),
                 writer);
  }
  writer.end_array();
  targets.document = writer.take();
  return targets;
}

net::Response node_health(const NodeLive* live, std::string_view accept, std::int64_t looked_ms,
                          std::int64_t now_ms) {
  if (now_ms - looked_ms > kPushedHealthAgeMaxMs) {
    return to_response(Refusal(503, "unavailable", "nobody looked at it in the last 45 s"));
  }
  if (live == nullptr || looked_ms - live->pushed_ms > kPushedHealthAgeMaxMs) {
    return to_response(Refusal(503, "unavailable", "no health was pushed in the last 45 s"));
  }
  if (!wants_text(accept)) return json_answer(200, health_as_json(*live));
  net::Response response;
  response.headers.add("content-type", "text/plain; version=0.0.4; charset=utf-8");
  response.headers.add("cache-control", "no-store");
  response.body = health_as_text(*live);
  return response;
}

}  // namespace vigia::monitor
