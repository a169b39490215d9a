// Asks nodes for their own health, in the place of Prometheus.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/internal_port/node_places.hpp"
#include "services/monitor/live/live_state.hpp"

namespace vigia::monitor::internal_port {

/// A node is a customer's machine and may answer anything. Prometheus chooses its parser by what
/// the answer calls itself: one native histogram whose zero threshold is no number keeps its
/// queries busy for ever, and stops everybody's alerts. So it is asked from here, and Prometheus is
/// given, as plain text (0.0.4), what in the answer is an agent's own health, and nothing else
/// (health_text.hpp): series, labels and texts of a node's choice would live in the memory of the
/// stores that all customers share. Each customer has a bounded part of what is under way and of
/// the bytes that arrive. Thread contract: any thread; does not block.
class NodeScrapes {
 public:
  explicit NodeScrapes(service::MetricRegistry& metrics);
  ~NodeScrapes();
  NodeScrapes(const NodeScrapes&) = delete;
  NodeScrapes& operator=(const NodeScrapes&) = delete;

  /// 200 with the node's own health, what else it answered being left out and counted; or 502 where
  /// it could not be asked, did not answer 200, took longer than `patience`, or answered more than
  /// 256 KiB or no such text; 503 where too many of its customer's are under way. The certificate
  /// is not verified: what is read is health alone.
  void answer(const live::NodeKey& node, const ScrapePlace& place, Duration patience,
              net::Responder responder);
  /// Ends what is under way.
  void end();

 private:
  struct Share {
    std::atomic<std::size_t> under_way{0};
    std::atomic<std::size_t> bytes{0};
  };
  class Place;
  std::shared_ptr<Share> share_of(const CustomerId& customer);
  net::Response as_text(Result<net::ClientResponse> answer);

  std::mutex mutex_;
  std::map<CustomerId, std::shared_ptr<Share>> shares_;  ///< guarded by mutex_
  service::Counter& malformed_;
  service::Counter& unknown_;
  service::Counter& repeated_;
  std::unique_ptr<net::Client> client_;  ///< last: its thread uses the above
};

}  // namespace vigia::monitor::internal_port
