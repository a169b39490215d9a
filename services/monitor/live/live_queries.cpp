#include "services/monitor/live/live_queries.hpp"

#include <fmt/format.h>

#include "services/monitor/live/agent_series.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/nodes/limits.hpp"

namespace vigia::monitor::live {
namespace {

constexpr std::string_view kReason = "reason";

/// The largest value for each set of the labels, of a bounded number of sets a customer.
std::string bounded(const LookGroup& group, std::string_view labels, std::string_view expression) {
  return fmt::format("topk by (customer_id) ({}, max by (customer_id, node_id{}) ({}))",
                     group.series_per_customer, labels, expression);
}

/// Matchers that let no long value through, whatever a customer sends.
std::string short_values(std::initializer_list<std::string_view> labels,
                         std::size_t characters_max = nodes::kLiveLabelCharactersMax) {
  std::string text;
  for (const std::string_view label : labels) {
    text += fmt::format(",{}=~\".{{0,{}}}\"", label, characters_max);
  }
  return text;
}

/// The group's customers, by name: nobody else's series are touched. Ids need no escape.
std::string customers_of(const LookGroup& group) {
  std::string text;
  for (const auto& customer : group.customers) {
    text += (text.empty() ? "" : "|") + customer.text();
  }
  return fmt::format("{}=~\"{}\"", kCustomerLabel, text);
}

// Signals are told apart by nobody who reads this, and what is counted of each has no largest.
bool is_asked_of(const AgentMetric& metric) {
  return metric.label.empty() || metric.label == kReason;
}

/// The names by which a node that pushes tells how it is. No names of a customer's choice: their
/// series would become some of ours (node_health).
std::string health_names() {
  std::string names;
  for (const auto& metric : agent_metrics()) {
    if (is_asked_of(metric)) names += (names.empty() ? "" : "|") + std::string(metric.name);
  }
  return names;
}

/// Begins with none.
std::string health_reasons() {
  std::string reasons;
  for (const auto& metric : agent_metrics()) {
    if (metric.label != kReason) continue;
    for (const auto value : metric.values) reasons += "|" + std::string(value);
  }
  return reasons;
}

struct Written {
  std::size_t known = 0;
  std::size_t added = 0;
};

/// Now and then while a node is heard of; and once it is silent the last time, which would
/// otherwise go back to the one before when nothing but the database knows it any more.
bool is_seen_due(const NodeLive& live, std::int64_t noted_ms, std::int64_t now_ms) {
  const auto seen_ms = live.last_seen_ms();
  const bool is_silent = now_ms - seen_ms > kPushedHealthAgeMaxMs;
  return seen_ms >= noted_ms + (is_silent ? 1 : kSeenEveryMs);
}

}  // namespace

std::vector<LiveQuery> live_queries(const LookGroup& group) {
  const std::string who = customers_of(group);
  // Region and environment stand once for a node, in the smaller answer of the two.
  const std::string health =
      fmt::format(R"({{__name__=~"{}",job="vigia-agent",{}{},reason=~"{}"}})", health_names(), who,
                  short_values({"node_id"}), health_reasons());
  const std::string health_time =
      fmt::format(R"(timestamp(agent_uptime_seconds{{job="vigia-agent",{}{}{}}}))", who,
                  short_values({"node_id"}),
                  short_values({"node_region", "environment"}, kLiveAttributeCharactersMax));
  const std::string usage =
      fmt::format(R"({{__name__=~"system_cpu_usage|system_memory_usage_percent",{}{}}})", who,
                  short_values({"node_id"}));
  const std::string usage_time =
      fmt::format("timestamp(system_cpu_usage{{{}{}}})", who, short_values({"node_id"}));
  // Made by the hot store alone, a few for each target: the reserved job is no customer's to send.
  // Of nodes that push, `up` says how this program's own word of them was, up to a minute ago.
  const auto scraped = [&](std::string_view names) {
    return fmt::format(R"(max by (customer_id, node_id, __name__) )"
                       R"(({{__name__=~"{}",job="customer-agents",reach="scrape",{}}}))",
                       names, who);
  };
  return {{bounded(group, ", __name__, reason", health), add_health},
          {bounded(group, ", node_region, environment", health_time), add_health_times},
          {scraped("up"), add_up},
          {scraped("agent_collector_reachable|agent_buffer_usage_percent"), add_scraped_health},
          {bounded(group, ", __name__", usage), add_usage},
          {bounded(group, "", usage_time), add_usage_times}};
}

std::string own_parts_query() {
  return R"(max by (job) (up{job=~"otel-collector|vigia-storage"}))";
}

std::set<OwnPart> own_parts_away(const std::vector<VectorSample>& samples) {
  std::set<OwnPart> away;
  for (const auto& sample : samples) {
    if (sample.value != 0) continue;
    const auto job = sample.labels.get("job");
    if (job == "otel-collector") away.insert(OwnPart::kCollector);
    if (job == "vigia-storage") away.insert(OwnPart::kStorage);
  }
  return away;
}

std::vector<CustomerId> crowded_in(const LookGroup& group,
                                   const std::vector<VectorSample>& samples) {
  std::map<std::string_view, std::size_t> counts;
  for (const auto& sample : samples) ++counts[sample.labels.get(kCustomerLabel)];
  std::vector<CustomerId> crowded;
  for (const auto& customer : group.customers) {
    const auto found = counts.find(customer.text());
    const bool is_full = found != counts.end() && found->second >= group.series_per_customer;
    if (is_full) crowded.push_back(customer);
  }
  return crowded;
}

std::vector<const NodeKey*> nodes_to_keep(const LiveState& state,
                                          const std::vector<nodes::NodeRow>& known) {
  std::map<NodeKey, std::int64_t> seen;
  std::map<CustomerId, Written> customers;
  for (const nodes::NodeRow& node : known) {
    seen.emplace(NodeKey(node.customer, node.id), node.last_seen_ms);
    ++customers[node.customer].known;
  }
  std::vector<const NodeKey*> due;
  for (const auto& [key, live] : state.nodes) {
    const auto found = seen.find(key);
    if (found != seen.end()) {
      if (is_seen_due(live, found->second, state.taken_ms)) due.push_back(&key);
    } else if (state.taken_ms - live.pushed_ms <= kPushedHealthAgeMaxMs) {
      Written& customer = customers[key.first];
      const bool has_room = customer.added < kRegistrationsPerLookMax &&
                            customer.known + customer.added < nodes::kNodesPerCustomerMax;
      if (!has_room) continue;
      ++customer.added;
      due.push_back(&key);
    }
    if (due.size() >= kNodesKeptPerLookMax) break;
  }
  return due;
}

}  // namespace vigia::monitor::live
