#include "services/monitor/internal_port/node_targets.hpp"

#include <map>

#include <fmt/format.h>

#include "libs/json/writer.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/internal_port/health_text.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/nodes/nodes.hpp"

namespace vigia::monitor::internal_port {
namespace {

void write_target(const nodes::NodeRow& node, const std::string& address, const std::string& path,
                  json::JsonWriter& writer) {
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

using Shards = std::vector<std::string>;

std::map<CustomerId, Shards> shards_of_enabled(
    const std::vector<customers::CustomerRow>& customers) {
  std::map<CustomerId, Shards> shards;
  for (const auto& customer : customers) {
    if (customer.is_enabled) shards.emplace(customer.id, customer.shards());
  }
  return shards;
}

double health_value(const live::NodeLive& live, std::string_view name) {
  return live.health.value(name).value_or(0);
}

std::string health_as_json(const live::NodeLive& live) {
  const bool is_reachable = health_value(live, "agent_collector_reachable") != 0;
  const auto uptime_s = static_cast<std::int64_t>(health_value(live, "agent_uptime_seconds"));
  json::JsonWriter writer;
  writer.begin_object()
      .member("status", is_reachable ? "healthy" : "degraded")
      .member_bool("collector_reachable", is_reachable)
      .member("buffer_usage",
              fmt::format("{:.0f}%", health_value(live, "agent_buffer_usage_percent")))
      .member("uptime", format_duration(std::chrono::seconds(uptime_s)))
      .end_object();
  return writer.take();
}

// Prometheus names a version with the type, browsers and curl never do: so the same path gives a
// scrape its text and a person the JSON of the founding document.
bool wants_text(std::string_view accept) {
  const auto open = accept.find("application/openmetrics-text");
  const auto plain = accept.find("text/plain");
  const auto type = std::min(open, plain);
  return type != std::string_view::npos && accept.find("version=", type) != std::string_view::npos;
}

}  // namespace

Result<ShardTargets> write_targets(const std::string& shard, const std::string& own_address,
                                   store::DatabaseConnection& connection) {
  auto customers = customers::list_customers(connection);
  if (!customers) return forward(customers);
  auto nodes = nodes::list_all_nodes(connection);
  if (!nodes) return forward(nodes);
  const auto enabled = shards_of_enabled(*customers);
  ShardTargets targets;
  json::JsonWriter writer;
  writer.begin_array();
  for (auto& node : *nodes) {
    const auto assigned = enabled.find(node.customer);
    if (assigned == enabled.end()) continue;
    const Shards& shards = assigned->second;
    if (shards[tenancy::shard_of_node(shards, node.id.text())] == shard) {
      write_target(node, own_address,
                   fmt::format("/nodes/{}/{}/{}", node.customer.text(), node.id.text(),
                               node.is_scraped() ? "scrape" : "health"),
                   writer);
    }
    // Of every shard: where a node is asked is resolved here for all of them, before its Prometheus
    // comes and asks.
    if (node.is_scraped()) targets.scraped.push_back(std::move(node));
  }
  writer.end_array();
  targets.document = writer.take();
  return targets;
}

Result<std::vector<nodes::NodeRow>> list_scraped_nodes(store::DatabaseConnection& connection) {
  auto customers = customers::list_customers(connection);
  if (!customers) return forward(customers);
  auto nodes = nodes::list_all_nodes(connection);
  if (!nodes) return forward(nodes);
  const auto enabled = shards_of_enabled(*customers);
  std::erase_if(*nodes, [&](const nodes::NodeRow& node) {
    return !node.is_scraped() || !enabled.contains(node.customer);
  });
  return nodes;
}

net::Response node_health(const live::NodeLive* live, std::string_view accept,
                          std::int64_t looked_ms, std::int64_t now_ms) {
  if (now_ms - looked_ms > live::kPushedHealthAgeMaxMs) {
    return api::to_response(
        api::Refusal(503, "unavailable", "nobody looked at it in the last 45 s"));
  }
  if (live == nullptr || looked_ms - live->pushed_ms > live::kPushedHealthAgeMaxMs) {
    return api::to_response(
        api::Refusal(503, "unavailable", "no health was pushed in the last 45 s"));
  }
  if (!wants_text(accept)) return api::json_answer(200, health_as_json(*live));
  return health_response(live->health);
}

}  // namespace vigia::monitor::internal_port
