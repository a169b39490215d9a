#include "services/monitor/live/live_poller.hpp"

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/monitor/alerting/hot_store.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/live_queries.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor::live {
namespace {

// A retired node comes back only when its agent pushes after that, with time for what was under
// way.
constexpr std::int64_t kRetiredGraceMs = 60'000;

Result<bool> register_pushing_node(const NodeKey& key, const NodeLive& live, std::int64_t now_ms,
                                   store::DatabaseConnection& connection) {
  // Looked up inside the transaction: the look began seconds ago, and a customer who was disabled
  // since must not get nodes.
  auto customer = customers::find_customer(key.first, connection);
  if (!customer) return forward(customer);
  if (!*customer || !(*customer)->is_enabled) return false;
  const nodes::NodeRow node{key.first, key.second, live.region, live.environment,   "",
                            true,      now_ms,     0,           live.last_seen_ms()};
  auto registered = nodes::register_node(node, connection);
  if (!registered || !*registered) return registered;
  store::AuditEntry entry;
  entry.time_ms = now_ms;
  entry.actor = "system";
  entry.action = "node.register";
  entry.customer = key.first;
  entry.object = key.second.text();
  entry.detail = "its agent pushes";
  auto audited = store::append_audit(entry, connection);
  if (!audited) return forward(audited);
  return true;
}

/// Notes that the node was seen, or registers it; true where it is new.
Result<bool> keep_node(const NodeKey& key, const NodeLive& live, std::int64_t now_ms,
                       store::DatabaseConnection& connection) {
  auto existing = nodes::find_node(key.first, key.second, connection);
  if (!existing) return forward(existing);
  if (*existing && (*existing)->retired_ms == 0) {
    auto noted = nodes::note_seen(key.first, key.second, live.last_seen_ms(), connection);
    if (!noted) return forward(noted);
    return false;
  }
  if (*existing && live.pushed_ms < (*existing)->retired_ms + kRetiredGraceMs) return false;
  return register_pushing_node(key, live, now_ms, connection);
}

}  // namespace

LivePoller::LivePoller(const LivePollerParts& parts, LivePollerSettings settings)
    : database_(parts.database),
      router_(parts.router),
      client_(parts.client),
      clock_(parts.clock),
      settings_(std::move(settings)),
      router_failures_(
          parts.metrics.counter("vigia_monitor_router_failures_total",
                                "Looks at the live state that the router did not answer")),
      alertmanager_failures_(
          parts.metrics.counter("vigia_monitor_alertmanager_failures_total",
                                "Questions about active alerts that Alertmanager did not answer")),
      registered_(parts.metrics.counter("vigia_monitor_nodes_registered_total",
                                        "Nodes that registered themselves by pushing")),
      groups_unanswered_(
          parts.metrics.counter("vigia_monitor_look_groups_unanswered_total",
                                "Groups of customers whose live state the router did not answer")),
      database_failures_(parts.metrics.counter(
          "vigia_monitor_database_failures_total",
          "Looks at the live state for which the database did not tell customers and nodes")),
      nodes_seen_(parts.metrics.gauge("vigia_monitor_live_nodes",
                                      "Nodes that the newest look at the live state found")),
      alert_looks_(client_, clock_, settings_.alertmanager_url, settings_.alerts_bytes_max) {
  LiveState state;
  state.router_problem = "the live state has not been asked for yet";
  state.alerts_problem = "the alerts have not been asked for yet";
  // What was sent meanwhile is only now on its way, as after an absence of the collector.
  state.blind_ms = clock_.wall_ms();
  current_ = std::make_shared<const LiveState>(std::move(state));
  parts.metrics.on_collect(
      [this](const service::MetricRegistry::Emit& emit) { show_unseen(emit); });
}

void LivePoller::show_unseen(const service::MetricRegistry::Emit& emit) const {
  const auto now = clock_.steady();
  double unseen = 0;
  const std::scoped_lock lock(mutex_);
  for (const auto& [customer, at] : looked_at_) {
    if (now - at <= std::chrono::milliseconds(kLiveStateAgeMaxMs)) continue;
    ++unseen;
    emit("vigia_monitor_customer_is_unseen",
         "1 for each customer whose nodes were not looked at for 30 s: their silence says nothing",
         service::MetricType::kGauge, {{"customer_id", customer.text()}}, 1);
  }
  emit("vigia_monitor_customers_unseen", "How many these are", service::MetricType::kGauge, {},
       unseen);
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
    contain_faults("the look at the live state", [this] { refresh(); });
    std::unique_lock lock(mutex_);
    // Sooner after a failure: its end is what everybody waits for.
    const auto pause = current_->router_problem.empty()
                           ? settings_.interval
                           : std::min(settings_.interval, kLiveRetryInterval);
    if (wake_.wait_for(lock, pause, [this] { return is_ending_; })) return;
  }
}

LiveState LivePoller::next_state() const {
  LiveState state = *current();
  state.taken_ms = clock_.wall_ms();
  state.router_problem.clear();
  state.alerts_problem.clear();
  state.away.clear();
  return state;
}

void LivePoller::look_at_hot_stores(const std::vector<customers::CustomerRow>& customers,
                                    LiveState& state) {
  std::set<std::string> away;
  std::set<std::string> there;  // of a pair one is enough
  for (const auto& [name, url] : settings_.hot_shards) {
    (alerting::is_hot_store_there(client_, url) ? there : away).insert(name);
  }
  std::erase_if(away, [&](const auto& name) { return there.contains(name); });
  if (away.empty()) return;
  state.away.insert(OwnPart::kHot);
  for (const auto& customer : customers) {
    const auto shards = customer.shards();
    const bool is_blind = std::any_of(shards.begin(), shards.end(),
                                      [&](const auto& shard) { return away.contains(shard); });
    if (is_blind) state.hot_blind_ms[customer.id] = state.taken_ms;
  }
}

void LivePoller::note_router_problem(std::string problem, LiveState& state) {
  router_failures_.add();
  state.router_problem = std::move(problem);
  state.away.insert(OwnPart::kRouter);
  state.blind_ms = state.taken_ms;
  state.blinded_by = OwnPart::kRouter;
  if (current()->router_problem.empty()) {
    service::log_warn("live state not refreshed", {{"error", state.router_problem}});
  }
}

void LivePoller::look_at_own_parts(LiveState& state) {
  const auto samples = router_.instant(own_parts_query());
  if (!samples) {
    note_router_problem(samples.error().message, state);
    return;
  }
  state.away.merge(own_parts_away(*samples));
  if (!state.away.contains(OwnPart::kCollector)) return;
  state.blind_ms = state.taken_ms;
  state.blinded_by = OwnPart::kCollector;
}

Result<std::map<NodeKey, NodeLive>> LivePoller::ask_about(const LookGroup& group) {
  const bool is_alone = group.customers.size() == 1;
  const auto deadline = clock_.steady() + (is_alone ? kLookAloneMax : kLookGroupMax);
  std::map<NodeKey, NodeLive> nodes;
  for (const LiveQuery& query : live_queries(group)) {
    if (clock_.steady() >= deadline) {
      return fail(ErrorCode::kDeadline, "the answers about a group of customers take too long");
    }
    auto samples = router_.instant(query.text);
    if (!samples) return forward(samples);
    query.add(nodes, *samples);
    for (const auto& customer : crowded_in(group, *samples)) plan_.note_crowded(customer);
  }
  return nodes;
}

Result<void> LivePoller::look_at_group(const LookGroup& group, LiveState& state) {
  // Its own time: questions about those before it may have taken long.
  const auto at_ms = clock_.wall_ms();
  const auto at = clock_.steady();
  auto nodes = ask_about(group);
  if (!nodes) return forward(nodes);
  const std::set<CustomerId> members(group.customers.begin(), group.customers.end());
  // No answer says when a node last answered: it stays known while the node is in the answers.
  for (auto& [key, live] : *nodes) {
    const auto before = state.nodes.find(key);
    if (before != state.nodes.end()) live.answered_ms = before->second.answered_ms;
  }
  std::erase_if(state.nodes, [&](const auto& one) { return members.contains(one.first.first); });
  for (auto& [key, live] : *nodes) {
    if (!members.contains(key.first)) continue;
    // With a hot store away the router may answer from elsewhere, and "up" may be an old one.
    if (live.up == true && !state.away.contains(OwnPart::kHot)) live.answered_ms = at_ms;
    state.nodes.insert_or_assign(key, std::move(live));
  }
  for (const auto& customer : group.customers) {
    state.looked_ms[customer] = at_ms;
    state.look_troubles.erase(customer);
    const auto blind = state.hot_blind_ms.find(customer);
    const bool is_hot_away = blind != state.hot_blind_ms.end() && blind->second == state.taken_ms;
    if (is_hot_away) blind->second = at_ms;
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& customer : group.customers) looked_at_[customer] = at;
  return {};
}

bool LivePoller::note_unanswered(const LookGroup& group, const Error& error, LiveState& state) {
  groups_unanswered_.add();
  service::log_debug("customers not looked at",
                     {{"first", group.customers.front().text()}, {"error", error.message}});
  const bool is_too_much = error.code == ErrorCode::kTooLarge ||
                           error.code == ErrorCode::kInvalid;  // "too many samples"
  for (const auto& customer : group.customers) {
    state.look_troubles[customer] = is_too_much ? LookTrouble::kTooMuch : LookTrouble::kLate;
  }
  return error.code == ErrorCode::kTooLarge || error.code == ErrorCode::kDeadline;
}

// The router has told of our own parts in this look: whatever is not answered from here on, it is
// there, and nobody is blind but those whose questions fail.
void LivePoller::look_at_nodes(const std::map<CustomerId, std::size_t>& nodes, LiveState& state) {
  const auto deadline = clock_.steady() + kLookMax;
  auto groups = plan_.groups(nodes);
  std::vector<std::pair<LookGroup, bool>> failed;
  const std::size_t planned = groups.size();
  bool is_any_answered = false;
  std::size_t i = 0;
  for (; i < groups.size() && clock_.steady() < deadline; ++i) {
    const LookGroup group = groups[i];
    Result<void> looked = fail(ErrorCode::kInternal, "a fault of the monitor's, see its log");
    contain_faults("the look at a group of customers",
                   [&] { looked = look_at_group(group, state); });
    if (looked) {
      is_any_answered = true;
      plan_.note_answered(group);
      if (clock_.steady() - shown_at_ >= kShownEvery) show(state);
      continue;
    }
    const bool is_its_own = note_unanswered(group, looked.error(), state);
    if (is_its_own) look_apart(group, groups);
    failed.emplace_back(group, is_its_own);
  }
  // Those for whom there was no time come first at the next look.
  for (; i < groups.size(); ++i) plan_.note_missed(groups[i]);
  for (const auto& [group, is_its_own] : failed) {
    // An error that all had alike is not cut. One group alone is: it would be asked for in the same
    // way for ever.
    if (is_its_own || is_any_answered || planned == 1) plan_.note_failed(group);
  }
}

// At once, so that nobody waits for the next look because of who is with it; who is alone stays so.
void LivePoller::look_apart(const LookGroup& group, std::vector<LookGroup>& groups) {
  if (group.customers.size() == 1) return plan_.note_crowded(group.customers.front());
  auto [first, second] = halves_of(group);
  groups.push_back(std::move(first));
  groups.push_back(std::move(second));
}

void LivePoller::look_at_alerts(LiveState& state) {
  if (settings_.alertmanager_url.empty()) {
    state.alerts_problem = "no Alertmanager is configured";
    alertmanager_failures_.add();
  } else {
    std::map<CustomerId, std::size_t> nodes;
    if (watched_) {
      for (const auto& customer : watched_->customers) nodes[customer.id] = 0;
      for (const auto& node : watched_->nodes) ++nodes[node.customer];
    }
    const auto failures = alert_looks_.look(nodes, state);
    alertmanager_failures_.add(failures);
  }
  if (!state.alerts_problem.empty()) state.away.insert(OwnPart::kAlertmanager);
}

bool LivePoller::read_watched() {
  auto watched = database_.read([](store::DatabaseConnection& connection) -> Result<Watched> {
    auto customers = customers::list_customers(connection);
    if (!customers) return forward(customers);
    auto nodes = nodes::list_all_nodes(connection);
    if (!nodes) return forward(nodes);
    return Watched{std::move(*customers), std::move(*nodes)};
  });
  if (watched) {
    watched_ = std::move(*watched);
  } else {
    database_failures_.add();
    if (!is_database_away_) {
      service::log_warn("nodes not read: the live state goes on with those that were last read",
                        {{"error", watched.error().message}});
    }
  }
  is_database_away_ = !watched.has_value();
  return watched.has_value();
}

std::map<CustomerId, std::size_t> LivePoller::count_watched() const {
  std::map<CustomerId, std::size_t> counts;
  for (const auto& customer : watched_->customers) {
    if (customer.is_enabled) counts[customer.id] = 0;
  }
  for (const auto& node : watched_->nodes) {
    const auto found = counts.find(node.customer);
    if (found != counts.end()) ++found->second;
  }
  return counts;
}

void LivePoller::look_at_watched(LiveState& state) {
  const auto counts = count_watched();
  std::erase_if(state.nodes, [&](const auto& one) { return !counts.contains(one.first.first); });
  std::erase_if(state.looked_ms, [&](const auto& one) { return !counts.contains(one.first); });
  std::erase_if(state.look_troubles, [&](const auto& one) { return !counts.contains(one.first); });
  look_at_hot_stores(watched_->customers, state);
  look_at_own_parts(state);
  if (state.router_problem.empty()) look_at_nodes(counts, state);
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  std::erase_if(looked_at_, [&](const auto& one) { return !counts.contains(one.first); });
  // Who is new has until then to be looked at.
  for (const auto& [customer, count] : counts) looked_at_.try_emplace(customer, now);
}

std::shared_ptr<const LiveState> LivePoller::show(LiveState state) {
  const auto shown = std::make_shared<const LiveState>(std::move(state));
  shown_at_ = clock_.steady();
  {
    const std::scoped_lock lock(mutex_);
    current_ = shown;
  }
  if (listener_) listener_();
  return shown;
}

void LivePoller::refresh() {
  const bool is_read = read_watched();
  LiveState state = next_state();
  if (watched_) {
    look_at_watched(state);
  } else {
    state.router_problem = "the database has not told yet who is looked at";
    state.blind_ms = state.taken_ms;
    state.blinded_by = std::nullopt;
  }
  nodes_seen_.set(static_cast<double>(state.nodes.size()));
  look_at_alerts(state);
  const auto looked = show(std::move(state));
  // After it is shown: a database that takes no writes holds up no health.
  if (!is_read || !looked->router_problem.empty()) return;
  auto kept = keep_nodes(watched_->nodes, *looked);
  if (!kept) service::log_warn("nodes not kept", {{"error", kept.error().message}});
}

Result<void> LivePoller::keep_nodes(const std::vector<nodes::NodeRow>& known,
                                    const LiveState& state) {
  const auto due = nodes_to_keep(state, known);
  if (due.empty()) return {};
  std::vector<const NodeKey*> added;
  auto kept = database_.write([&](store::DatabaseConnection& connection) -> Result<void> {
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

}  // namespace vigia::monitor::live
