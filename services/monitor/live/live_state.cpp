#include "services/monitor/live/live_state.hpp"

#include <algorithm>
#include <cmath>

#include "services/monitor/limits.hpp"

namespace vigia::monitor {
namespace {

NodeLive* find_or_add(std::map<NodeKey, NodeLive>& nodes, const Labels& labels) {
  auto customer = CustomerId::parse(labels.get(kCustomerLabel));
  auto node = NodeId::parse(labels.get("node_id"));
  if (!customer || !node) return nullptr;
  return &nodes[NodeKey(std::move(*customer), std::move(*node))];
}

std::int64_t to_ms(double seconds) {
  return static_cast<std::int64_t>(std::llround(seconds * 1000));
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

NodeStatus node_status(const Node& node, const NodeLive* live, std::int64_t now_ms) {
  if (live == nullptr) {
    // Heard of earlier, and the stores hold nothing fresh: silent for more than 5 minutes.
    return node.last_seen_ms > 0 ? NodeStatus::kDown : NodeStatus::kUnknown;
  }
  if (node.is_scraped()) {
    if (!live->up) return NodeStatus::kUnknown;
    return *live->up ? NodeStatus::kUp : NodeStatus::kDown;
  }
  if (live->pushed_ms == 0 && node.last_seen_ms == 0) return NodeStatus::kUnknown;
  return now_ms - live->pushed_ms <= kPushedHealthAgeMaxMs ? NodeStatus::kUp : NodeStatus::kDown;
}

void add_health(std::map<NodeKey, NodeLive>& nodes, const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    if (live == nullptr) continue;
    std::string name(sample.labels.metric_name());
    const auto reason = sample.labels.get("reason");
    if (!reason.empty()) name += "{reason=\"" + std::string(reason) + "\"}";
    live->health[name] = sample.value;
    live->region = std::string(sample.labels.get("node_region"));
    live->environment = std::string(sample.labels.get("environment"));
  }
}

void add_health_times(std::map<NodeKey, NodeLive>& nodes,
                      const std::vector<VectorSample>& samples) {
  for (const auto& sample : samples) {
    NodeLive* live = find_or_add(nodes, sample.labels);
    if (live != nullptr) live->pushed_ms = std::max(live->pushed_ms, to_ms(sample.value));
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

}  // namespace vigia::monitor
