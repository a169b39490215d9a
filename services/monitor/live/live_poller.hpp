// Keeps the live state fresh, and registers nodes that push without having been announced.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/live/look_plan.hpp"
#include "services/monitor/live/router_queries.hpp"
#include "services/monitor/store/customers.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

struct LivePollerSettings {
  std::string alertmanager_url;  ///< "" for none: alerts then count as missing
  Duration interval;
  /// Name and URL of each hot store: asked whether it is there.
  std::vector<std::pair<std::string, std::string>> hot_shards = {};
};

/// Thread contract: `current` from any thread; one thread of its own asks (docs/decisions/0002).
class LivePoller {
 public:
  LivePoller(Database& database, RouterQueries& router, net::Client& client, const Clock& clock,
             service::MetricRegistry& metrics, LivePollerSettings settings);
  ~LivePoller() { stop(); }
  LivePoller(const LivePoller&) = delete;
  LivePoller& operator=(const LivePoller&) = delete;

  /// What is called after every look, on the poller's thread. Before `start`.
  void on_refresh(std::function<void()> listener) { listener_ = std::move(listener); }
  void start();
  /// Ends the thread; the last state stays. Safe twice.
  void stop();
  /// Never null; before the first look its problems say so.
  std::shared_ptr<const LiveState> current() const;
  /// One look, at once. Called by the thread; a test calls it instead of starting the thread. What
  /// it throws costs this look (the thread counts it as a fault), and the last state stays.
  void refresh();

 private:
  void run();
  /// What the last look left, as a beginning of the next.
  LiveState next_state() const;
  void look_at_hot_stores(const std::vector<Customer>& customers, LiveState& state);
  void look_at_own_parts(LiveState& state);
  void look_at_nodes(const std::map<CustomerId, std::size_t>& nodes, LiveState& state);
  Result<void> look_at_group(const LookGroup& group, LiveState& state);
  void look_at_alerts(LiveState& state);
  void note_router_problem(std::string problem, LiveState& state);
  Result<void> keep_nodes(const std::vector<Node>& known, const LiveState& state);

  Database& database_;
  RouterQueries& router_;
  net::Client& client_;
  const Clock& clock_;
  const LivePollerSettings settings_;
  service::Counter& router_failures_;
  service::Counter& alertmanager_failures_;
  service::Counter& registered_;
  service::Counter& groups_unanswered_;
  service::Gauge& nodes_seen_;
  LookPlan plan_;  ///< the poller's thread alone

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;                    ///< guarded by mutex_
  std::shared_ptr<const LiveState> current_;  ///< guarded by mutex_; shared with who reads it
  std::function<void()> listener_;
  std::thread thread_;
};

}  // namespace vigia::monitor
