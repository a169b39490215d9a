// What is known of every node right now: health, CPU, memory, when it was last heard of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/monitor/live/alerts.hpp"
#include "services/monitor/live/prometheus_answer.hpp"
#include "services/monitor/store/nodes.hpp"

namespace vigia::monitor {

using NodeKey = std::pair<CustomerId, NodeId>;

struct NodeLive {
  std::map<std::string, double> health;  ///< pushed agent_* values by name
  std::int64_t pushed_ms = 0;            ///< time of the newest pushed health; 0: none
  std::optional<bool> up;                ///< of job customer-agents
  std::optional<double> cpu_percent;
  std::optional<double> memory_percent;
  std::int64_t sample_ms = 0;  ///< time of the newest CPU sample; 0: none
  std::string region;          ///< as the agent says
  std::string environment;

  std::int64_t last_seen_ms() const { return std::max(pushed_ms, sample_ms); }
};

/// One look at router and Alertmanager; never changed once made.
struct LiveState {
  std::int64_t taken_ms = 0;
  std::map<NodeKey, NodeLive> nodes;
  std::string router_problem;  ///< "" where the router answered
  std::vector<ActiveAlert> alerts;
  std::string alerts_problem;  ///< "" where Alertmanager answered

  /// False until the router has answered for the first time since the start.
  bool is_known() const { return router_problem.empty() || !nodes.empty(); }
};

enum class NodeStatus { kUp, kDown, kUnknown };
std::string_view to_string(NodeStatus status);

/// A pushed node is up while its health is younger than 45 s, a scraped one while `up` is 1. Never
/// heard of, or without a live state: unknown. `live` may be null.
NodeStatus node_status(const Node& node, const NodeLive* live, std::int64_t now_ms);

/// Puts one query's answer into the map; samples without a good customer_id and node_id are passed
/// over. Each names what the query asked for.
void add_health(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_health_times(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_up(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_usage(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_usage_times(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);

}  // namespace vigia::monitor
