// Two customers, what is known of their nodes, and when.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "services/monitor/live/agent_series.hpp"
#include "services/monitor/live/live_queries.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/nodes/nodes.hpp"

namespace vigia::monitor::live::testing {

inline const CustomerId kA = *CustomerId::parse("cliente-a");
inline const CustomerId kB = *CustomerId::parse("cliente-b");
inline const NodeId kWeb = *NodeId::parse("prod-web-01");
inline constexpr std::int64_t kNow = 1'795'575'845'000;

inline VectorSample sample(const std::string& name, const std::string& node, double value) {
  return VectorSample{
      Labels::from({{"__name__", name}, {"customer_id", "cliente-a"}, {"node_id", node}}), value};
}

inline nodes::NodeRow pushed_node(const NodeId& id) {
  return nodes::NodeRow{kA, id, "us-east-1", "production", "", true, kNow, 0, 0};
}

inline AgentHealth health_of(const std::map<std::string, double>& values) {
  AgentHealth health;
  for (const auto& [name, value] : values) health.add(name, "", value);
  return health;
}

/// A look at both customers at `at_ms` that found what `nodes` holds.
inline LiveState looked(std::map<NodeKey, NodeLive> nodes, std::int64_t at_ms = kNow) {
  LiveState state;
  state.taken_ms = at_ms;
  state.alerts_ms = at_ms;
  state.looked_ms = {{kA, at_ms}, {kB, at_ms}};
  state.nodes = std::move(nodes);
  return state;
}

}  // namespace vigia::monitor::live::testing
