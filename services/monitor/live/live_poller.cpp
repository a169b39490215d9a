#include "services/monitor/live/live_poller.hpp"

#include "libs/service/log.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/live/live_queries.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/customers.hpp"

namespace vigia::monitor {
namespace {

// A retired node comes back only when its agent pushes after that, with time for what was under
// way.
constexpr std::int64_t kRetiredGraceMs = 60'000;

Result<bool> register_pushing_node(const NodeKey& key, const NodeLive& live, std::int64_t now_ms,
                                   Connection& connection) {
  auto customer = find_customer(key.first, connection);
  if (!customer) return forward(customer);
  if (!*customer || !(*customer)->is_enabled) return false;
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

/// Notes that the node was seen, or registers it; true where it is new.
Result<bool> keep_node(const NodeKey& key, const NodeLive& live, std::int64_t now_ms,
                       Connection& connection) {
  auto existing = find_node(key.first, key.second, connection);
  if (!existing) return forward(existing);
  if (*existing && (*existing)->retired_ms == 0) {
    auto noted = note_seen(key.first, key.second, live.last_seen_ms(), connection);
    if (!noted) return forward(noted);
    return false;
  }
  if (*existing && live.pushed_ms < (*existing)->retired_ms + kRetiredGraceMs) return false;
  return register_pushing_node(key, live, now_ms, connection);
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
  for (const LiveQuery& query : live_queries()) {
    auto samples = router_.instant(query.text);
    if (!samples) return forward(samples);
    query.add(state.nodes, *samples);
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
  const auto due = nodes_to_keep(state, *known);
  if (due.empty()) return {};
  std::vector<const NodeKey*> added;
  auto kept = database_.write([&](Connection& connection) -> Result<void> {
    added.clear();
    for (const NodeKey* key : due) {
      auto is_new = keep_node(*key, state.nodes.at(*key), state.taken_ms, connection);
      if (!is_new) return forward(is_new);
      if (*is_new) added.push_back(key);
    }
    return {};
  });
  if (!kept) return kept;
  for (const NodeKey* key : added) {
    registered_.add();
    service::log_info("node registered by its pushes",
                      {{"customer_id", key->first.text()}, {"node_id", key->second.text()}});
  }
  return {};
}

}  // namespace vigia::monitor
