// Keeps the live state fresh, and registers nodes that push without having been announced.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/live/alert_looks.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/live/look_plan.hpp"
#include "services/monitor/live/router_queries.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::live {

struct LivePollerSettings {
  std::string alertmanager_url;  ///< "" for none: alerts then count as missing
  Duration interval;
  /// Name and URL of each hot store: asked whether it is there.
  /// Name and address, of a pair each member's.
  std::vector<std::pair<std::string, std::string>> hot_shards = {};
  std::size_t alerts_bytes_max = alerting::kAnswerBytesMax;  ///< of one answer of Alertmanager's
};

/// What a poller works with; all of it outlives the poller. `metrics` shows the poller and must not
/// after its end.
struct LivePollerParts {
  store::Database& database;
  RouterQueries& router;
  net::Client& client;
  const Clock& clock;
  service::MetricRegistry& metrics;
};

/// Without the database it goes on looking at the customers and nodes that it last read. A customer
/// that was not looked at for kLiveStateAgeMaxMs is shown (vigia_monitor_customer_is_unseen): what
/// looks like silence of its nodes is our not looking. Thread contract: `current` from any thread;
/// one thread of its own asks (docs/decisions/0002).
class LivePoller {
 public:
  LivePoller(const LivePollerParts& parts, LivePollerSettings settings);
  ~LivePoller() { stop(); }
  LivePoller(const LivePoller&) = delete;
  LivePoller& operator=(const LivePoller&) = delete;

  /// What is called when a look is done, or a part of a long one, on the poller's thread. Before
  /// `start`.
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
  /// What the database knows: who is looked at.
  struct Watched {
    std::vector<customers::CustomerRow> customers;
    std::vector<nodes::NodeRow> nodes;
  };

  void run();
  /// Reads it anew; where that fails the last one stays. False for that.
  bool read_watched();
  std::map<CustomerId, std::size_t> count_watched() const;
  /// Looks at those that the database told of, and notes when; who is new counts from now.
  void look_at_watched(LiveState& state);
  void show_unseen(const service::MetricRegistry::Emit& emit) const;
  /// What the last look left, as a beginning of the next.
  LiveState next_state() const;
  void look_at_hot_stores(const std::vector<customers::CustomerRow>& customers, LiveState& state);
  void look_at_own_parts(LiveState& state);
  void look_at_nodes(const std::map<CustomerId, std::size_t>& nodes, LiveState& state);
  Result<std::map<NodeKey, NodeLive>> ask_about(const LookGroup& group);
  Result<void> look_at_group(const LookGroup& group, LiveState& state);
  void look_apart(const LookGroup& group, std::vector<LookGroup>& groups);
  /// Shows it of its customers; true where it is the group's own trouble.
  bool note_unanswered(const LookGroup& group, const Error& error, LiveState& state);
  void look_at_alerts(LiveState& state);
  /// A copy in the middle of a look that lasts: who was answered waits for nobody else.
  std::shared_ptr<const LiveState> show(LiveState state);
  void note_router_problem(std::string problem, LiveState& state);
  Result<void> keep_nodes(const std::vector<nodes::NodeRow>& known, const LiveState& state);

  store::Database& database_;
  RouterQueries& router_;
  net::Client& client_;
  const Clock& clock_;
  const LivePollerSettings settings_;
  service::Counter& router_failures_;
  service::Counter& alertmanager_failures_;
  service::Counter& registered_;
  service::Counter& groups_unanswered_;
  service::Counter& database_failures_;
  service::Gauge& nodes_seen_;
  LookPlan plan_;                   ///< the poller's thread alone
  AlertLooks alert_looks_;          ///< likewise
  std::optional<Watched> watched_;  ///< likewise; nothing until it was read once
  bool is_database_away_ = false;   ///< likewise
  TimePoint shown_at_;              ///< likewise

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;                     ///< guarded by mutex_
  std::shared_ptr<const LiveState> current_;   ///< guarded by mutex_; shared with who reads it
  std::map<CustomerId, TimePoint> looked_at_;  ///< guarded by mutex_; steady: no clock step ages it
  std::function<void()> listener_;
  std::thread thread_;
};

}  // namespace vigia::monitor::live
