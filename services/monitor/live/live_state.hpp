// What is known of every node right now: health, CPU, memory, when it was last heard of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/monitor/live/agent_series.hpp"
#include "services/monitor/live/alerts.hpp"
#include "services/monitor/live/prometheus_answer.hpp"
#include "services/monitor/nodes/nodes.hpp"

namespace vigia::monitor::live {

using NodeKey = std::pair<CustomerId, NodeId>;

struct NodeLive {
  AgentHealth health;                            ///< pushed
  std::int64_t pushed_ms = 0;                    ///< time of the newest pushed health; 0: none
  std::map<std::string, double> scraped_health;  ///< of agent_* what Prometheus asked for itself
  std::optional<bool> up;                        ///< of job customer-agents
  std::int64_t answered_ms = 0;                  ///< when it was last seen to answer; 0: never
  std::optional<double> cpu_percent;
  std::optional<double> memory_percent;
  std::int64_t sample_ms = 0;  ///< time of the newest CPU sample; 0: none
  std::string region;          ///< as the agent says
  std::string environment;

  std::int64_t last_seen_ms() const { return std::max({pushed_ms, sample_ms, answered_ms}); }
};

/// Parts of our own without which a node cannot be judged.
enum class OwnPart { kCollector, kHot, kRouter, kStorage, kAlertmanager };
/// "collector", "hot", "router", "storage", "alertmanager": the words of the contract.
std::string_view to_string(OwnPart part);

/// What is known of one customer's alerts, or of the provider's own.
struct AlertsSight {
  std::int64_t at_ms = 0;           ///< when Alertmanager last told them; 0: never
  std::size_t left_out = 0;         ///< how many more there are than `alerts` has of it
  std::size_t firing_left_out = 0;  ///< of these, neither silenced nor inhibited
  bool is_at_least = false;         ///< its answer was too large: there are more even than that
};

/// Why the last questions about a customer's nodes were of no use.
enum class LookTrouble {
  kTooMuch,  ///< the answer is too large to be read, or to be made
  kLate,     ///< none came in time, or none at all
};

/// One look at router and Alertmanager; never changed once made.
struct LiveState {
  std::int64_t taken_ms = 0;
  std::map<NodeKey, NodeLive> nodes;
  /// When the router last answered for this customer: what stands in `nodes` is from then.
  std::map<CustomerId, std::int64_t> looked_ms;
  /// Of those that were asked for since and were not answered. The router itself is there.
  std::map<CustomerId, LookTrouble> look_troubles = {};
  std::string router_problem;       ///< "" where the router answered
  std::vector<ActiveAlert> alerts;  ///< kAlertsOfCustomerMax of a customer at most
  std::string alerts_problem;       ///< "" where Alertmanager answered
  std::int64_t alerts_ms = 0;       ///< when it last did
  /// Of those that it was asked for: `alerts` of each are from its own time.
  std::map<std::optional<CustomerId>, AlertsSight> alerts_of = {};
  std::set<OwnPart> away;  ///< of our own, at this look
  /// When collector or router was last seen away, or nobody looked; 0: never.
  std::int64_t blind_ms = 0;
  /// Which of the two; nothing: this program, which has just started.
  std::optional<OwnPart> blinded_by = {};
  std::map<CustomerId, std::int64_t> hot_blind_ms;  ///< when its hot store was last seen away

  /// False until the router has answered for the first time since the start.
  bool is_known() const {
    return !looked_ms.empty() || (router_problem.empty() && look_troubles.empty());
  }
  /// Nothing: the provider's own.
  AlertsSight alerts_sight(const std::optional<CustomerId>& customer) const;
};

enum class NodeStatus { kUp, kDown, kUnknown };
std::string_view to_string(NodeStatus status);

/// Why nothing is said of a node; the words of the contract.
enum class UnknownReason {
  kNone,
  kWaiting,        ///< it has never sent anything: there is nothing that could be down
  kCollectorAway,  ///< our own parts: the node may be well
  kHotAway,
  kRouterAway,
  kUnmeasured,  ///< nobody asks it just now
};
/// "waiting", "collector_away", "hot_away", "router_away", "unmeasured"; "" for kNone.
std::string_view to_string(UnknownReason reason);

struct Judgement {
  NodeStatus status = NodeStatus::kUnknown;
  UnknownReason reason = UnknownReason::kNone;  ///< where the status is unknown
};

/// How a node was when its customer was last looked at; never by what our own parts' absence
/// leaves out. A pushed node is up while its health is younger than 45 s, a scraped one while `up`
/// is 1. One that never sent anything waits for its first data.
Judgement judge_node(const nodes::NodeRow& node, const LiveState& state, std::int64_t now_ms);

/// What is known of this node, from a look that still counts; null for nothing.
const NodeLive* fresh_live(const nodes::NodeRow& node, const LiveState& state, std::int64_t now_ms);

/// Puts one query's answer into the map; samples without a good customer_id and node_id are passed
/// over. Each names what the query asked for.
void add_health(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_scraped_health(std::map<NodeKey, NodeLive>& nodes,
                        const std::vector<VectorSample>& samples);
void add_health_times(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_up(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_usage(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);
void add_usage_times(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples);

}  // namespace vigia::monitor::live
