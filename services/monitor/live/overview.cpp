#include "services/monitor/live/overview.hpp"

#include <algorithm>
#include <array>

#include "libs/json/writer.hpp"
#include "services/monitor/live/limits.hpp"

namespace vigia::monitor::live {
namespace {

struct NodeView {
  const nodes::NodeRow& node;
  const NodeLive* live;  ///< null where nothing fresh is known
  Judgement judgement;
  std::int64_t looked_ms;
  std::int64_t seen_ms;  ///< as far as this run knows, however old
  bool is_hot_away;
  bool is_collector_away;

  bool is_up() const { return live != nullptr && judgement.status == NodeStatus::kUp; }
};

std::optional<double> value_in(const std::map<std::string, double>& health,
                               const std::string& name) {
  const auto found = health.find(name);
  return found == health.end() ? std::nullopt : std::optional(found->second);
}

// What Prometheus asked the node for itself: true also while the collector is away.
std::optional<double> asked_value(const NodeView& view, const std::string& name) {
  const bool is_asked =
      view.is_up() && view.node.is_scraped() && view.live->up == true && !view.is_hot_away;
  return is_asked ? value_in(view.live->scraped_health, name) : std::nullopt;
}

// The asked one is fresher than what came through the collector. Of a node that is not up nothing
// is said: it would be a memory.
std::optional<double> health_value(const NodeView& view, const std::string& name) {
  if (!view.is_up()) return std::nullopt;
  const auto asked = asked_value(view, name);
  return asked ? asked : view.live->health.value(name);
}

std::optional<bool> collector_reachable(const NodeView& view) {
  constexpr const char* kName = "agent_collector_reachable";
  if (!view.is_up()) return std::nullopt;
  // What came through the collector is a memory while that is away.
  const auto value = view.is_collector_away ? asked_value(view, kName) : health_value(view, kName);
  // What a node pushed has come through: an older "no" among it is history.
  if (!view.node.is_scraped()) return view.is_collector_away ? std::nullopt : std::optional(true);
  return value ? std::optional(*value != 0) : std::nullopt;
}

std::optional<double> usage(const NodeView& view, std::optional<double> NodeLive::* value) {
  const bool is_present = view.is_up() && view.looked_ms - view.live->sample_ms <= kUsageAgeMaxMs;
  return is_present ? view.live->*value : std::nullopt;
}

std::optional<std::string> text_or_null(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(std::string(text));
}

void write_node(const NodeView& view, json::JsonWriter& writer) {
  const auto& node = view.node;
  writer.begin_object()
      .member("id", node.id.text())
      .member("region", node.region)
      .member("environment", node.environment)
      .member("reach", node.is_scraped() ? "scrape" : "push")
      .member("status", to_string(view.judgement.status))
      .member_or_null("status_reason", text_or_null(to_string(view.judgement.reason)))
      .member_number("cpu_percent", usage(view, &NodeLive::cpu_percent))
      .member_number("memory_percent", usage(view, &NodeLive::memory_percent))
      .member_number("buffer_percent", health_value(view, "agent_buffer_usage_percent"));
  const auto reachable = collector_reachable(view);
  writer.key("collector_reachable");
  reachable ? writer.boolean(*reachable) : writer.null();
  writer.member_time("last_seen", std::max(view.seen_ms, node.last_seen_ms)).end_object();
}

std::int64_t count_alerts(const std::optional<CustomerId>& customer, const LiveState& live) {
  const auto left_out = static_cast<std::int64_t>(live.alerts_sight(customer).firing_left_out);
  return left_out +
         std::count_if(live.alerts.begin(), live.alerts.end(), [&](const ActiveAlert& alert) {
           return alert.customer == customer && !alert.is_silenced && !alert.is_inhibited;
         });
}

void write_alert_count(std::string_view key, const std::optional<CustomerId>& customer,
                       const LiveState& live, std::int64_t now_ms, json::JsonWriter& writer) {
  writer.key(key);
  are_alerts_known(customer, live, now_ms) ? writer.integer(count_alerts(customer, live))
                                           : writer.null();
}

void write_customer(const customers::CustomerRow& customer, const std::vector<NodeView>& nodes,
                    const LiveState& live, std::int64_t now_ms, json::JsonWriter& writer) {
  const auto count = [&](NodeStatus status) {
    return std::int64_t{std::count_if(nodes.begin(), nodes.end(), [&](const NodeView& view) {
      return view.judgement.status == status;
    })};
  };
  writer.begin_object()
      .member("id", customer.id.text())
      .member("name", customer.name)
      .member_bool("is_enabled", customer.is_enabled)
      .member("nodes_up", count(NodeStatus::kUp))
      .member("nodes_down", count(NodeStatus::kDown))
      .member("nodes_unknown", count(NodeStatus::kUnknown));
  write_alert_count("alerts_firing", customer.id, live, now_ms, writer);
  const auto sight = live.alerts_sight(customer.id);
  writer.member("alerts_left_out", static_cast<std::int64_t>(sight.left_out))
      .member_bool("are_more_left_out", sight.is_at_least);
  writer.key("nodes").begin_array();
  for (const auto& node : nodes) write_node(node, writer);
  writer.end_array().end_object();
}

struct AwayWords {
  OwnPart part;
  std::string_view words;
};
// Addresses of neighbours stay inside: the words say which part is missing, not where it is.
constexpr auto kAwayWords = std::to_array<AwayWords>(
    {{OwnPart::kCollector,
      "collector away: nodes that send their health cannot be judged; agents keep their data"},
     {OwnPart::kHot,
      "hot store away: nodes that are asked cannot be judged, and no alert is evaluated"},
     {OwnPart::kStorage, "storage away: what is older than the hot store cannot be shown"}});

/// The router answers, and not about this one for a while.
bool is_unseen(const customers::CustomerRow& customer, const LiveState& live, std::int64_t now_ms) {
  const auto looked = live.looked_ms.find(customer.id);
  const auto known_ms =
      std::max(customer.created_ms, looked == live.looked_ms.end() ? 0 : looked->second);
  return customer.is_enabled && now_ms - known_ms > kLiveStateAgeMaxMs;
}

/// For whom there was no time has none.
bool is_too_much(const customers::CustomerRow& customer, const LiveState& live) {
  const auto trouble = live.look_troubles.find(customer.id);
  return trouble != live.look_troubles.end() && trouble->second == LookTrouble::kTooMuch;
}

/// Which parts of an overview are there.
struct Shown {
  bool has_router = false;
  bool has_too_much = false;      ///< of customers that are unseen
  bool has_late = false;          ///< likewise
  bool has_alertmanager = false;  ///< it answered about somebody
  bool has_alerts = false;        ///< of everybody that is shown
};

void write_away(const LiveState& live, const Shown& shown, json::JsonWriter& writer) {
  writer.key("warnings").begin_array();
  if (shown.has_router && shown.has_too_much) {
    writer.string("live state missing: more is sent about nodes than can be read");
  }
  if (shown.has_router && shown.has_late) {
    writer.string("live state missing: questions about nodes get no answer in time");
  }
  if (!shown.has_router) writer.string("live state missing: the router does not answer");
  if (!shown.has_alerts) writer.string(alerts_missing(shown.has_alertmanager));
  for (const auto& [part, words] : kAwayWords) {
    if (live.away.contains(part)) writer.string(words);
  }
  writer.end_array().key("away").begin_array();
  auto away = live.away;
  if (!shown.has_router) away.insert(OwnPart::kRouter);
  if (!shown.has_alertmanager) away.insert(OwnPart::kAlertmanager);
  for (const OwnPart part : away) writer.string(to_string(part));
  writer.end_array();
}

using NodeViews = std::map<CustomerId, std::vector<NodeView>>;

NodeViews views_of(const std::vector<nodes::NodeRow>& nodes, const LiveState& live,
                   std::int64_t now_ms) {
  NodeViews views;
  for (const auto& node : nodes) {
    const auto looked = live.looked_ms.find(node.customer);
    const auto hot = live.hot_blind_ms.find(node.customer);
    const auto looked_ms = looked == live.looked_ms.end() ? 0 : looked->second;
    const auto kept = live.nodes.find(NodeKey(node.customer, node.id));
    const auto seen_ms = kept == live.nodes.end() ? 0 : kept->second.last_seen_ms();
    views[node.customer].push_back(
        NodeView{node, fresh_live(node, live, now_ms), judge_node(node, live, now_ms), looked_ms,
                 seen_ms, hot != live.hot_blind_ms.end() && hot->second == looked_ms,
                 live.away.contains(OwnPart::kCollector)});
  }
  return views;
}

/// Of the customers that are shown; with `customer` that one alone is.
Shown shown_of(const std::vector<customers::CustomerRow>& customers,
               const std::optional<CustomerId>& customer, const LiveState& live,
               std::int64_t now_ms) {
  Shown shown;
  shown.has_router = live.router_problem.empty() && now_ms - live.taken_ms <= kLiveStateAgeMaxMs;
  shown.has_alertmanager = is_alertmanager_known(live, now_ms);
  shown.has_alerts = customer || are_alerts_known(std::nullopt, live, now_ms);
  for (const auto& one : customers) {
    if (customer && one.id != *customer) continue;
    if (is_unseen(one, live, now_ms)) {
      (is_too_much(one, live) ? shown.has_too_much : shown.has_late) = true;
    }
    shown.has_alerts = shown.has_alerts && are_alerts_known(one.id, live, now_ms);
  }
  return shown;
}

// The provider's own; a customer's user is told of its own alone.
void write_provider_alerts(const std::optional<CustomerId>& customer, const LiveState& live,
                           std::int64_t now_ms, json::JsonWriter& writer) {
  if (customer) {
    writer.key("provider_alerts_firing").integer(0);
  } else {
    write_alert_count("provider_alerts_firing", std::nullopt, live, now_ms, writer);
  }
}

}  // namespace

bool are_alerts_known(const std::optional<CustomerId>& customer, const LiveState& live,
                      std::int64_t now_ms) {
  const auto at_ms = live.alerts_sight(customer).at_ms;
  return at_ms > 0 && now_ms - at_ms <= kLiveStateAgeMaxMs;
}

bool is_alertmanager_known(const LiveState& live, std::int64_t now_ms) {
  return live.alerts_ms > 0 && now_ms - live.alerts_ms <= kLiveStateAgeMaxMs;
}

std::string_view alerts_missing(bool has_alertmanager) {
  return has_alertmanager ? "alerts missing: more are active than can be read"
                          : "alerts missing: Alertmanager does not answer";
}

Result<std::string> write_overview(const std::optional<CustomerId>& customer, const LiveState& live,
                                   std::int64_t now_ms, store::DatabaseConnection& connection) {
  auto customers = customers::list_customers(connection);
  if (!customers) return forward(customers);
  auto nodes =
      customer ? nodes::list_nodes(*customer, connection) : nodes::list_all_nodes(connection);
  if (!nodes) return forward(nodes);
  std::stable_sort(customers->begin(), customers->end(),
                   [](const customers::CustomerRow& a, const customers::CustomerRow& b) {
                     return a.name < b.name;
                   });
  auto views = views_of(*nodes, live, now_ms);
  json::JsonWriter writer;
  writer.begin_object().member_time("generated_at", now_ms);
  write_away(live, shown_of(*customers, customer, live, now_ms), writer);
  write_provider_alerts(customer, live, now_ms, writer);
  writer.key("customers").begin_array();
  for (const auto& one : *customers) {
    if (!customer || one.id == *customer) {
      write_customer(one, views[one.id], live, now_ms, writer);
    }
  }
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace vigia::monitor::live
