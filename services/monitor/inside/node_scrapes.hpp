// Asks nodes for their own health, in the place of Prometheus.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "services/monitor/inside/node_places.hpp"
#include "services/monitor/live/live_state.hpp"

namespace vigia::monitor {

/// A node is a customer's machine and may answer anything. Prometheus chooses its parser by what
/// the answer calls itself: one native histogram whose zero threshold is no number keeps its
/// queries busy for ever, and stops everybody's alerts. So it is asked from here, and Prometheus is
/// given the answer as plain text (0.0.4), whatever it called itself. Each customer has a bounded
/// part of what is under way and of the bytes that arrive. Thread contract: any thread; does not
/// block.
class NodeScrapes {
 public:
  NodeScrapes();
  ~NodeScrapes();
  NodeScrapes(const NodeScrapes&) = delete;
  NodeScrapes& operator=(const NodeScrapes&) = delete;

  /// 200 with what the node answered, or 502 where it could not be asked, did not answer 200, took
  /// longer than `patience`, or answered more than 256 KiB; 503 where too many of its customer's
  /// are under way. The certificate is not verified: what is read is health alone.
  void answer(const NodeKey& node, const ScrapePlace& place, Duration patience,
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

  std::mutex mutex_;
  std::map<CustomerId, std::shared_ptr<Share>> shares_;  ///< guarded by mutex_
  std::unique_ptr<net::Client> client_;                  ///< last: its thread uses the above
};

}  // namespace vigia::monitor
