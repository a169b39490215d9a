// Asks nodes for their own health, in the place of Prometheus.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "services/monitor/live/live_state.hpp"

namespace vigia::monitor {

/// Where a node is asked: an address that was checked (access/address.hpp), and how.
struct ScrapePlace {
  std::string address;
  bool is_encrypted = false;
};

/// A node is a customer's machine and may answer anything. Prometheus chooses its parser by what
/// the answer calls itself: one native histogram whose zero threshold is no number keeps its
/// queries busy for ever, and stops everybody's alerts. So it is asked from here, and Prometheus is
/// given the answer as plain text (0.0.4), whatever it called itself. Each customer has a bounded
/// part of what is under way and of the bytes that arrive. Thread contract: any thread; does not
/// block.
class NodeScrapes {
 public:
  explicit NodeScrapes(service::MetricRegistry& metrics);
  ~NodeScrapes();
  NodeScrapes(const NodeScrapes&) = delete;
  NodeScrapes& operator=(const NodeScrapes&) = delete;

  /// Where nodes are from now on; one that is not among them stays where it was.
  void set_places(std::map<NodeKey, ScrapePlace> places);
  std::optional<ScrapePlace> place_of(const NodeKey& node) const;
  /// Whether the database told where nodes are. While it does not, one of which that is not known
  /// cannot be asked, which is our outage and none of the node's (vigia_monitor_places_unknown).
  void note_look_up(bool is_read) { places_unknown_.set(is_read ? 0 : 1); }

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

  service::Gauge& places_unknown_;
  mutable std::mutex mutex_;
  std::map<NodeKey, ScrapePlace> places_;                ///< guarded by mutex_
  std::map<CustomerId, std::shared_ptr<Share>> shares_;  ///< guarded by mutex_
  std::unique_ptr<net::Client> client_;                  ///< last: its thread uses the above
};

}  // namespace vigia::monitor
