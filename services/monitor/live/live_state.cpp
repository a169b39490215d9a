#include "services/monitor/live/live_state.hpp"

#include <algorithm>
#include <cmath>

#include "services/monitor/live/limits.hpp"

namespace vigia::monitor::live {
namespace {

// Labels are what customers send: one that is no id belongs to nobody that this program knows.
NodeLive* find_or_add(std::map<NodeKey, NodeLive>& nodes, const Labels& labels) {
  auto customer = CustomerId::parse(labels.get(kCustomerLabel));
  auto node = NodeId::parse(labels.get("node_id"));
  if (!customer || !node) return nullptr;
  return &nodes[NodeKey(std::move(*customer), std::move(*node))];
}

std::int64_t to_ms(double seconds) {
  return static_cast<std::int64_t>(std::llround(seconds * 1000));
}

Judgement unknown(UnknownReason reason) { return {NodeStatus::kUnknown, reason}; }

/// What one node is judged by.
struct Sight {
  std::int64_t at_ms;    ///< when the customer was looked at
  const NodeLive* live;  ///< null for nothing
  std::int64_t blind_ms;
  UnknownReason blind_reason;
  std::int64_t hot_blind_ms;

  bool is_push_fresh() const {
    return live != nullptr && live->pushed_ms > 0 &&
           at_ms - live->pushed_ms <= kPushedHealthAgeMaxMs;
  }
  // Also right after one of our own parts is back: the agents' buffers are only now on their way.
  bool was_away(std::int64_t last_ms) const {
    return last_ms > 0 && at_ms - last_ms <= kPushedHealthAgeMaxMs;
  }
};

UnknownReason blind_reason(const std::optional<OwnPart>& part) {
  if (!part) return UnknownReason::kUnmeasured;
  return *part == OwnPart::kCollector ? UnknownReason::kCollectorAway : UnknownReason::kRouterAway;
}

Sight sight_of(const nodes::NodeRow& node, std::int64_t at_ms, const NodeLive* live,
               const LiveState& state) {
  const auto hot = state.hot_blind_ms.find(node.customer);
  return Sight{at_ms, live, state.blind_ms, blind_reason(state.blinded_by),
               hot == state.hot_blind_ms.end() ? 0 : hot->second};
}

// The order decides: that it is up needs one proof, that it is down needs that nothing of ours
// could have hidden it. All that lies between is unknown.
Judgement judge_pushed(const Sight& sight) {
  if (sight.is_push_fresh()) return {NodeStatus::kUp};
  if (sight.was_away(sight.blind_ms)) return unknown(sight.blind_reason);
  if (sight.was_away(sight.hot_blind_ms)) return unknown(UnknownReason::kHotAway);
  return {NodeStatus::kDown};
}

Judgement judge_scraped(const Sight& sight) {
  // Without the hot store `up` is a memory of it; what the agent sends comes another way.
  const bool is_hot_away = sight.hot_blind_ms == sight.at_ms && sight.at_ms > 0;
  if (!is_hot_away && sight.live != nullptr && sight.live->up) {
    return {*sight.live->up ? NodeStatus::kUp : NodeStatus::kDown};
  }
  if (!sight.was_away(sight.hot_blind_ms)) return unknown(UnknownReason::kUnmeasured);
  return sight.is_push_fresh() ? Judgement{NodeStatus::kUp} : unknown(UnknownReason::kHotAway);
}

}  // namespace

std::string_view to_string(NodeStatus status) {
  switch (status) {
    case NodeStatus::kUp:
      return "up";
    case NodeStatus::kDown:
      return "down";
    default:
      return "unknown";
  }
}

std::string_view to_string(OwnPart part) {
  switch (part) {
    case OwnPart::kCollector:
      return "collector";
    case OwnPart::kHot:
      return "hot";
    case OwnPart::kRouter:
      return "router";
    case OwnPart::kStorage:
      return "storage";
    default:
      return "alertmanager";
  }
}

std::string_view to_string(UnknownReason reason) {
  switch (reason) {
    case UnknownReason::kWaiting:
      return "waiting";
    case UnknownReason::kCollectorAway:
      return "collector_away";
    case UnknownReason::kHotAway:
      return "hot_away";
    case UnknownReason::kRouterAway:
      return "router_away";
    case UnknownReason::kUnmeasured:
      return "unmeasured";
    default:
      return "";
  }
}

AlertsSight LiveState::alerts_sight(const std::optional<CustomerId>& customer) const {
  const auto found = alerts_of.find(customer);
  return found == alerts_of.end() ? AlertsSight{alerts_ms} : found->second;
}

const NodeLive* fresh_live(const nodes::NodeRow& node, const LiveState& state,
                           std::int64_t now_ms) {
  const auto looked = state.looked_ms.find(node.customer);
  if (looked == state.looked_ms.end() || now_ms - looked->second > kLiveStateAgeMaxMs) {
    return nullptr;
  }
  const auto found = state.nodes.find(NodeKey(node.customer, node.id));
  return found == state.nodes.end() ? nullptr : &found->second;
}

Judgement judge_node(const nodes::NodeRow& node, const LiveState& state, std::int64_t now_ms) {
  const auto looked = state.looked_ms.find(node.customer);
  if (looked == state.looked_ms.end() || now_ms - looked->second > kLiveStateAgeMaxMs) {
    // Before the first look nobody has asked the router yet.
    const bool is_router = state.taken_ms > 0 &&
                           (state.away.contains(OwnPart::kRouter) || !state.router_problem.empty());
    return unknown(is_router ? UnknownReason::kRouterAway : UnknownReason::kUnmeasured);
  }
  const NodeLive* live = fresh_live(node, state, now_ms);
  const auto seen_ms = std::max(node.last_seen_ms, live == nullptr ? 0 : live->last_seen_ms());
  if (seen_ms == 0) return unknown(UnknownReason::kWaiting);
  const auto sight = sight_of(node, looked->second, live, state);
  return node.is_scraped() ? judge_scraped(sight) : judge_pushed(sight);
}

void add_health(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    if (live == nullptr) continue;
    live->health.add(sample.labels.metric_name(), sample.labels.get("reason"), sample.value);
  }
}

void add_scraped_health(std::map<NodeKey, NodeLive>& nodes,
                        const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    if (live != nullptr) {
      live->scraped_health[std::string(sample.labels.metric_name())] = sample.value;
    }
  }
}

void add_health_times(std::map<NodeKey, NodeLive>& nodes,
                      const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    if (live == nullptr || to_ms(sample.value) < live->pushed_ms) continue;
    // Where it changed a moment ago there are two: what was pushed last holds.
    live->pushed_ms = to_ms(sample.value);
    live->region = std::string(sample.labels.get("node_region"));
    live->environment = std::string(sample.labels.get("environment"));
  }
}

void add_up(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    // Two series for a moment, when a node's address changes: one that answers is enough.
    if (live != nullptr) live->up = live->up.value_or(false) || sample.value == 1;
  }
}

void add_usage(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    // No number stands on a page where a customer sent NaN; JSON could not even say it.
    if (live == nullptr || !std::isfinite(sample.value)) continue;
    if (sample.labels.metric_name() == "system_cpu_usage") live->cpu_percent = sample.value;
    if (sample.labels.metric_name() == "system_memory_usage_percent") {
      live->memory_percent = sample.value;
    }
  }
}

void add_usage_times(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    if (live != nullptr) live->sample_ms = std::max(live->sample_ms, to_ms(sample.value));
  }
}

}  // namespace vigia::monitor::live
