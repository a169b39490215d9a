#include "services/monitor/live/live_queries.hpp"

#include <fmt/format.h>

#include "services/monitor/limits.hpp"

namespace vigia::monitor {
namespace {

/// The largest value for each set of the labels, of a bounded number of sets a customer.
std::string bounded(std::string_view labels, std::string_view expression) {
  return fmt::format("topk by (customer_id) ({}, max by (customer_id, node_id{}) ({}))",
                     kLiveSeriesPerCustomerMax, labels, expression);
}

/// Matchers that let no long value through, whatever a customer sends.
std::string short_values(std::initializer_list<std::string_view> labels) {
  std::string text;
  for (const std::string_view label : labels) {
    text += fmt::format(",{}=~\".{{0,{}}}\"", label, kLiveLabelCharactersMax);
  }
  return text;
}

struct Written {
  std::size_t known = 0;
  std::size_t added = 0;
};

}  // namespace

std::vector<LiveQuery> live_queries() {
  const std::string health =
      fmt::format(R"({{__name__=~"agent_.{{1,{}}}",job="vigia-agent"{}}})", kLiveLabelCharactersMax,
                  short_values({"node_id", "node_region", "environment", "reason"}));
  const std::string usage =
      fmt::format(R"({{__name__=~"system_cpu_usage|system_memory_usage_percent"{}}})",
                  short_values({"node_id"}));
  return {{bounded(", __name__, node_region, environment, reason", health), add_health},
          {bounded("", fmt::format(R"(timestamp(agent_uptime_seconds{{job="vigia-agent"{}}}))",
                                   short_values({"node_id"}))),
           add_health_times},
          {R"(up{job="customer-agents"})", add_up},  // made by the hot store, one for each target
          {bounded(", __name__", usage), add_usage},
          {bounded("", fmt::format("timestamp(system_cpu_usage{{{}}})",
                                   short_values({"node_id"}).substr(1))),
           add_usage_times}};
}

std::vector<const NodeKey*> nodes_to_keep(const LiveState& state, const std::vector<Node>& known) {
  std::map<NodeKey, std::int64_t> seen;
  std::map<CustomerId, Written> customers;
  for (const Node& node : known) {
    seen.emplace(NodeKey(node.customer, node.id), node.last_seen_ms);
    ++customers[node.customer].known;
  }
  std::vector<const NodeKey*> due;
  for (const auto& [key, live] : state.nodes) {
    const auto found = seen.find(key);
    if (found != seen.end()) {
      if (live.last_seen_ms() >= found->second + kSeenEveryMs) due.push_back(&key);
    } else if (state.taken_ms - live.pushed_ms <= kPushedHealthAgeMaxMs) {
      Written& customer = customers[key.first];
      const bool has_room = customer.added < kRegistrationsPerLookMax &&
                            customer.known + customer.added < kNodesPerCustomerMax;
      if (!has_room) continue;
      ++customer.added;
      due.push_back(&key);
    }
    if (due.size() >= kNodesKeptPerLookMax) break;
  }
  return due;
}

}  // namespace vigia::monitor
