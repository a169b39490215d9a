#include "services/monitor/live/overview.hpp"

#include <algorithm>

#include "services/monitor/json/json.hpp"
#include "services/monitor/limits.hpp"

namespace vigia::monitor {
namespace {

struct NodeView {
  const Node& node;
  const NodeLive* live;  ///< null where nothing fresh is known
  NodeStatus status;
};

std::optional<double> health_value(const NodeView& view, const std::string& name) {
  if (view.live == nullptr) return std::nullopt;
  const auto found = view.live->health.find(name);
  return found == view.live->health.end() ? std::nullopt : std::optional(found->second);
}

void write_node(const NodeView& view, JsonWriter& writer) {
  const auto& node = view.node;
  const bool is_live = view.live != nullptr && view.status == NodeStatus::kUp;
  writer.begin_object()
      .member("id", node.id.text())
      .member("region", node.region)
      .member("environment", node.environment)
      .member("reach", node.is_scraped() ? "scrape" : "push")
      .member("status", to_string(view.status))
      .member_number("cpu_percent", is_live ? view.live->cpu_percent : std::nullopt)
      .member_number("memory_percent", is_live ? view.live->memory_percent : std::nullopt)
      .member_number("buffer_percent", health_value(view, "agent_buffer_usage_percent"));
  const auto reachable = health_value(view, "agent_collector_reachable");
  writer.key("collector_reachable");
  reachable ? writer.boolean(*reachable != 0) : writer.null();
  const auto seen = view.live != nullptr ? view.live->last_seen_ms() : 0;
  writer.member_time("last_seen", std::max(seen, node.last_seen_ms)).end_object();
}

std::int64_t count_alerts(const CustomerId& customer, const LiveState& live) {
  return std::count_if(live.alerts.begin(), live.alerts.end(), [&](const ActiveAlert& alert) {
    return alert.customer == customer && !alert.is_silenced;
  });
}

void write_customer(const Customer& customer, const std::vector<NodeView>& nodes,
                    const LiveState& live, JsonWriter& writer) {
  const auto count = [&](NodeStatus status) {
    return std::int64_t{std::count_if(nodes.begin(), nodes.end(),
                                      [&](const NodeView& view) { return view.status == status; })};
  };
  writer.begin_object()
      .member("id", customer.id.text())
      .member("name", customer.name)
      .member_bool("is_enabled", customer.is_enabled)
      .member("nodes_up", count(NodeStatus::kUp))
      .member("nodes_down", count(NodeStatus::kDown))
      .member("nodes_unknown", count(NodeStatus::kUnknown));
  writer.key("alerts_firing");
  live.alerts_problem.empty() ? writer.integer(count_alerts(customer.id, live)) : writer.null();
  writer.key("nodes").begin_array();
  for (const auto& node : nodes) write_node(node, writer);
  writer.end_array().end_object();
}

// Addresses of neighbours stay inside: the words say which part is missing, not where it is.
void write_warnings(const LiveState& live, bool is_fresh, JsonWriter& writer) {
  writer.key("warnings").begin_array();
  if (!live.router_problem.empty() || !is_fresh) {
    writer.string("live state missing: the router does not answer");
  }
  if (!live.alerts_problem.empty()) {
    writer.string("alerts missing: Alertmanager does not answer");
  }
  writer.end_array();
}

}  // namespace

Result<std::string> write_overview(const std::optional<CustomerId>& customer, const LiveState& live,
                                   std::int64_t now_ms, Connection& connection) {
  auto customers = list_customers(connection);
  if (!customers) return forward(customers);
  auto nodes = customer ? list_nodes(*customer, connection) : list_all_nodes(connection);
  if (!nodes) return forward(nodes);
  std::stable_sort(customers->begin(), customers->end(),
                   [](const Customer& a, const Customer& b) { return a.name < b.name; });
  const bool is_fresh = now_ms - live.taken_ms <= kLiveStateAgeMaxMs;
  const bool has_live = live.router_problem.empty() && is_fresh;
  std::map<CustomerId, std::vector<NodeView>> views;
  for (const auto& node : *nodes) {
    const auto found = live.nodes.find(NodeKey(node.customer, node.id));
    const NodeLive* one = has_live && found != live.nodes.end() ? &found->second : nullptr;
    const auto status = has_live ? node_status(node, one, now_ms) : NodeStatus::kUnknown;
    views[node.customer].push_back(NodeView{node, one, status});
  }
  JsonWriter writer;
  writer.begin_object().member_time("generated_at", now_ms);
  write_warnings(live, is_fresh, writer);
  writer.key("customers").begin_array();
  for (const auto& one : *customers) {
    if (!customer || one.id == *customer) write_customer(one, views[one.id], live, writer);
  }
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace vigia::monitor
