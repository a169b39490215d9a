#include "services/monitor/live/live_poller.hpp"

#include "libs/service/log.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/customers.hpp"

namespace vigia::monitor {
namespace {

constexpr std::int64_t kSeenEveryMs = 60'000;
// A retired node comes back only when its agent pushes after that, with time for what was under
// way.
constexpr std::int64_t kRetiredGraceMs = 60'000;

constexpr std::string_view kHealthQuery = R"({__name__=~"agent_.+",job="vigia-agent"})";
constexpr std::string_view kHealthTimesQuery =
    R"(timestamp(agent_uptime_seconds{job="vigia-agent"}))";
constexpr std::string_view kUpQuery = R"(up{job="customer-agents"})";
constexpr std::string_view kUsageQuery =
    R"({__name__=~"system_cpu_usage|system_memory_usage_percent"})";
constexpr std::string_view kUsageTimesQuery = "timestamp(system_cpu_usage)";

Result<bool> register_pushing_node(const NodeKey& key, const NodeLive& live, std::int64_t now_ms,
                                   Connection& connection) {
  auto customer = find_customer(key.first, connection);
  if (!customer) return forward(customer);
  if (!*customer || !(*customer)->is_enabled) return false;
  auto nodes = list_nodes(key.first, connection);
  if (!nodes) return forward(nodes);
  if (nodes->size() >= kNodesPerCustomerMax) return false;
  const Node node{key.first, key.second, live.region, live.environment,   "",
                  true,      now_ms,     0,           live.last_seen_ms()};
  auto registered = register_node(node, connection);
  if (!registered || !*registered) return registered;
  AuditEntry entry;
  entry.time_ms = now_ms;
  entry.actor = "system";
  entry.action = "node.register";
  entry.customer = key.first;
  entry.object = key.second.text();
  entry.detail = "its agent pushes";
  auto audited = append_audit(entry, connection);
  if (!audited) return forward(audited);
  return true;
}

}  // namespace

LivePoller::LivePoller(Database& database, RouterQueries& router, net::Client& client,
                       const Clock& clock, service::MetricRegistry& metrics,
                       LivePollerSettings settings)
    : database_(database),
      router_(router),
      client_(client),
      clock_(clock),
      settings_(std::move(settings)),
      router_failures_(metrics.counter("vigia_monitor_router_failures_total",
                                       "Looks at the live state that the router did not answer")),
      alertmanager_failures_(
          metrics.counter("vigia_monitor_alertmanager_failures_total",
                          "Looks at the active alerts that Alertmanager did not answer")),
      registered_(metrics.counter("vigia_monitor_nodes_registered_total",
                                  "Nodes that registered themselves by pushing")),
      nodes_seen_(metrics.gauge("vigia_monitor_live_nodes",
                                "Nodes that the newest look at the live state found")) {
  LiveState state;
  state.router_problem = "the live state has not been asked for yet";
  state.alerts_problem = "the alerts have not been asked for yet";
  current_ = std::make_shared<const LiveState>(std::move(state));
}

void LivePoller::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LivePoller::start() {
  thread_ = std::thread([this] { run(); });
}

std::shared_ptr<const LiveState> LivePoller::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

void LivePoller::run() {
  while (true) {
    refresh();
    std::unique_lock lock(mutex_);
    const auto pause = current_->router_problem.empty()
                           ? settings_.interval
                           : std::min(settings_.interval, kLiveRetryInterval);
    if (wake_.wait_for(lock, pause, [this] { return is_ending_; })) return;
  }
}

Result<void> LivePoller::ask_router(LiveState& state) {
  using Add = void (*)(std::map<NodeKey, NodeLive>&, const std::vector<VectorSample>&);
  constexpr std::pair<std::string_view, Add> kQueries[] = {{kHealthQuery, add_health},
                                                           {kHealthTimesQuery, add_health_times},
                                                           {kUpQuery, add_up},
                                                           {kUsageQuery, add_usage},
                                                           {kUsageTimesQuery, add_usage_times}};
  for (const auto& [query, add] : kQueries) {
    auto samples = router_.instant(query);
    if (!samples) return forward(samples);
    add(state.nodes, *samples);
  }
  return {};
}

void LivePoller::refresh() {
  LiveState state;
  state.taken_ms = clock_.wall_ms();
  const auto previous = current();
  auto asked = ask_router(state);
  if (!asked) {
    router_failures_.add();
    state.router_problem = asked.error().message;
    // What was known stays, with its own times, until it is too old by them.
    state.nodes = previous->nodes;
    if (previous->router_problem.empty()) {
      service::log_warn("live state not refreshed", {{"error", state.router_problem}});
    }
  }
  nodes_seen_.set(static_cast<double>(state.nodes.size()));
  auto alerts = settings_.alertmanager_url.empty()
                    ? Result<std::vector<ActiveAlert>>(
                          fail(ErrorCode::kUnavailable, "no Alertmanager is configured"))
                    : fetch_alerts(client_, settings_.alertmanager_url);
  if (alerts) {
    state.alerts = std::move(*alerts);
  } else {
    alertmanager_failures_.add();
    state.alerts_problem = alerts.error().message;
  }
  if (state.router_problem.empty()) {
    auto kept = keep_nodes(state);
    if (!kept) service::log_warn("nodes not kept", {{"error", kept.error().message}});
  }
  {
    const std::scoped_lock lock(mutex_);
    current_ = std::make_shared<const LiveState>(std::move(state));
  }
  if (listener_) listener_();
}

Result<void> LivePoller::keep_nodes(const LiveState& state) {
  auto known = database_.read([](Connection& connection) { return list_all_nodes(connection); });
  if (!known) return forward(known);
  std::map<NodeKey, std::int64_t> seen;
  for (const auto& node : *known) seen.emplace(NodeKey(node.customer, node.id), node.last_seen_ms);
  for (const auto& [key, live] : state.nodes) {
    const auto found = seen.find(key);
    const bool is_due = found == seen.end()
                            ? state.taken_ms - live.pushed_ms <= kPushedHealthAgeMaxMs
                            : live.last_seen_ms() >= found->second + kSeenEveryMs;
    if (!is_due) continue;
    auto kept = keep_node(key, live, state.taken_ms);
    if (!kept) return forward(kept);
  }
  return {};
}

Result<void> LivePoller::keep_node(const NodeKey& key, const NodeLive& live, std::int64_t now_ms) {
  auto is_new = database_.write([&](Connection& connection) -> Result<bool> {
    auto existing = find_node(key.first, key.second, connection);
    if (!existing) return forward(existing);
    if (*existing && (*existing)->retired_ms == 0) {
      auto noted = note_seen(key.first, key.second, live.last_seen_ms(), connection);
      if (!noted) return forward(noted);
      return false;
    }
    if (*existing && live.pushed_ms < (*existing)->retired_ms + kRetiredGraceMs) return false;
    return register_pushing_node(key, live, now_ms, connection);
  });
  if (!is_new) return forward(is_new);
  if (*is_new) {
    registered_.add();
    service::log_info("node registered by its pushes",
                      {{"customer_id", key.first.text()}, {"node_id", key.second.text()}});
  }
  return {};
}

}  // namespace vigia::monitor
