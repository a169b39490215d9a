// The internal port: snapshot, http_sd, pushed health, customers' messages, own metrics. Everything
// but metrics and status words needs the internal token.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "libs/service/internal_token.hpp"
#include "libs/service/metrics.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/monitor/internal_port/channel_hooks.hpp"
#include "services/monitor/internal_port/node_places.hpp"
#include "services/monitor/internal_port/node_scrapes.hpp"
#include "services/monitor/internal_port/node_targets.hpp"
#include "services/monitor/internal_port/snapshot.hpp"
#include "services/monitor/live/live_poller.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::internal_port {

struct InsideParts {
  store::Database& database;
  service::WorkerPool& workers;
  Snapshot& snapshot;
  const live::LivePoller& live;
  ChannelHooks& hooks;
  NodePlaces& places;
  NodeScrapes& scrapes;
  service::MetricRegistry& metrics;
  const Clock& clock;
};

/// Thread contract: `handle` from any event loop; it does not block.
class InsideHandler : public net::Handler {
 public:
  InsideHandler(InsideParts parts, std::string internal_token);
  std::optional<net::Response> admit(net::RequestHead& head) override;
  std::size_t body_bytes_max(const net::RequestHead& head) const override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;
  /// Where pushed nodes' targets point to: the port is known once the server runs.
  void set_own_address(std::string address);
  /// Finds out where the nodes are asked, so that those whose targets Prometheus has kept over a
  /// restart are asked at once. Does not block.
  void find_places();
  /// There was a look at the live state: answers the health requests that waited for the first one.
  /// Right after a start nothing is known yet, and 503 would forge a moment of down time for every
  /// node that pushes.
  void release_waiting();
  /// The same at once, known or not, and from now on nobody waits: the server is about to stop.
  void end();

 private:
  struct WaitingHealth {
    std::optional<live::NodeKey> node;
    std::string accept;
    TimePoint deadline;
    net::Responder responder;
  };
  net::Response health_of(const std::optional<live::NodeKey>& node, std::string_view accept) const;
  void add_routes();
  void add_open_routes();
  void answer_targets(const net::PathValues& path, net::Responder responder);
  void answer_hook(net::Request request, const net::PathValues& path, net::Responder responder);
  void answer_scrape(const net::RequestHead& head, const net::PathValues& path,
                     net::Responder responder);
  void answer_health(const net::RequestHead& head, const net::PathValues& path,
                     net::Responder responder);
  /// Adds the node to the places that are asked. kNotFound where the database has none such, or
  /// none that is asked.
  Result<void> know_node(const live::NodeKey& key);

  InsideParts parts_;
  const service::InternalToken internal_token_;
  std::string own_address_;
  std::vector<WaitingHealth> waiting_;
  bool is_ending_ = false;
  std::mutex mutex_;  ///< own_address_, waiting_, is_ending_
  net::Routes routes_;
};

}  // namespace vigia::monitor::internal_port
