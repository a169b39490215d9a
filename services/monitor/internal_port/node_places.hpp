// Where scraped nodes are asked: the addresses that their names have now.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "libs/service/metrics.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/monitor/access/address.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/nodes/nodes.hpp"

namespace vigia::monitor::internal_port {

/// Where a node is asked: an address that was checked (access/address.hpp), and how.
struct ScrapePlace {
  std::string address;
  bool is_encrypted = false;
};

/// What whoever asks is told where that is not known in time: kUnavailable.
Error place_not_known_yet();

/// Names are customers', and so are the servers that resolve them: one that is silent holds its
/// thread for ten seconds and more. So names are looked up in threads of which each customer has a
/// bounded share, and whoever's last look-up was slow waits among the slow alone; a literal address
/// waits for none of it. A name is looked up again a minute after the last time, when its node is
/// asked; the place that it had stays until then, and while its name server is silent.
///
/// A node whose name has not been looked up once is no node that is down: it is shown as
/// vigia_monitor_node_place_unknown, its customer as vigia_monitor_customer_places_unknown where
/// there are more of them than are shown one by one. What could not be looked up, or is refused, is
/// asked at an address that refuses connections: down, and not gone.
/// Thread contract: any thread; nothing blocks. `metrics` shows it and must not after its end.
class NodePlaces {
 public:
  /// The checked address of "host:port", as resolve_checked gives it, and what needs no name server
  /// of that (check_literal).
  struct Names {
    std::function<Result<std::string>(const std::string&)> look_up;
    std::function<std::optional<Result<std::string>>(const std::string&)> literal;
  };
  /// place_not_known_yet where it is not in time: too many of that customer's wait, or this ends.
  using Asker = Task<void(const Result<ScrapePlace>&)>;

  NodePlaces(Names names, const Clock& clock, service::MetricRegistry& metrics);
  ~NodePlaces();
  NodePlaces(const NodePlaces&) = delete;
  NodePlaces& operator=(const NodePlaces&) = delete;

  /// All that are asked from now on; others are forgotten. Only scraped ones may be among them.
  void set_nodes(const std::vector<nodes::NodeRow>& nodes);
  /// One more of them.
  void add_node(const nodes::NodeRow& node);
  /// Calls `asker` with the node's place, at once or when it has been looked up. False, with
  /// neither a call nor a move, for a node that is none of them.
  bool ask(const live::NodeKey& node, Asker& asker);
  /// Whether the database told which nodes are asked. Until it has and while it does not, one that
  /// is not known cannot be asked: our outage (vigia_monitor_places_unknown).
  void note_nodes_read(bool is_read) { places_unknown_.set(is_read ? 0 : 1); }
  /// Whoever waits is told nothing; nothing is looked up any more. Safe twice.
  void end();

 private:
  struct Place {
    std::string address;               ///< as it was entered
    std::optional<ScrapePlace> place;  ///< nothing before the first look-up has ended
    TimePoint until;                   ///< then it is looked up again
    bool is_queued = false;            ///< for a look-up, or in one
    Asker asker;                       ///< who waits; the newest alone
    std::size_t round = 0;             ///< of set_nodes
  };
  struct Share {
    std::set<NodeId> unknown;
    std::deque<NodeId> first;  ///< waiting for their first look-up: before the others
    std::deque<NodeId> again;
    std::size_t jobs = 0;     ///< submitted or running
    std::size_t waiting = 0;  ///< askers
    bool is_slow = false;     ///< its last look-up was
  };

  // All three REQUIRE mutex_ held.
  void put(const nodes::NodeRow& node);
  void queue(const live::NodeKey& node, Place& place);
  Asker take_asker(const live::NodeKey& node, Place& place);
  void look_up_soon(const CustomerId& customer);
  void look_up_next(const CustomerId& customer);
  void note(const live::NodeKey& node, const std::string& address, const Result<std::string>& found,
            Duration took);
  void show_unknown(const service::MetricRegistry::Emit& emit) const;

  const Names names_;
  const Clock& clock_;
  service::Gauge& places_unknown_;
  mutable std::mutex mutex_;
  std::map<live::NodeKey, Place> places_;  ///< guarded by mutex_
  std::map<CustomerId, Share> shares_;     ///< likewise
  std::size_t round_ = 0;                  ///< likewise
  bool is_ending_ = false;                 ///< likewise
  service::WorkerPool quick_workers_;      ///< last, as the next: their threads use the above
  service::WorkerPool slow_workers_;
};

/// Names as the machine resolves them, of what `policy` allows.
NodePlaces::Names system_names(access::AddressPolicy policy);

}  // namespace vigia::monitor::internal_port
