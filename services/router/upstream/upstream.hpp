// One Prometheus-like server behind the router.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/json/envelope.hpp"
#include "services/router/request/parameters.hpp"
#include "services/router/upstream/lanes.hpp"
#include "services/router/upstream/penalties.hpp"
#include "services/router/upstream/reach.hpp"
#include "services/router/upstream/readers.hpp"

namespace vigia::router::upstream {

struct UpstreamSettings {
  std::string name;   ///< as own metrics show it: "hot-0", "query", "cold"
  std::string url;    ///< without a path
  std::string token;  ///< sent as bearer token; empty: none
  std::uint64_t answer_bytes_max = 256U << 20U;
  LaneSettings lanes;
};

/// True where another store may still answer what this one did not: it saw nothing of the request,
/// or answered it with a fault of its own.
bool is_store_fault(const Error& error);
/// True where the connection broke after the request was sent. It may be what the store did not
/// survive, so that nobody may ask another one the same.
bool is_lost(const Error& error);
/// What a caller is told where no store that holds its data is there.
Error no_answer();
/// The error as a caller sees it: what is wrong with a store is the same to it as its absence.
Error outward(Error error);

struct Ask {
  std::optional<CustomerId> customer;  ///< whose turn it takes; none: the operators'
  std::string path;
  request::Form form;
  bool is_post = true;  ///< false where the path takes GET only
  Duration timeout = std::chrono::seconds(30);
  net::Headers headers;
  /// Where it is lost, the request leaves the row or is broken off. Null: somebody waits always.
  std::shared_ptr<access::Interest> interest = nullptr;
  Lane lane = Lane::kUsual;
  /// Called once the turn has come: it says whether the request may still be sent, on any thread,
  /// and its error is the answer where it may not. The turn is kept meanwhile. Empty: it may.
  std::function<void(std::function<void(Result<void>)> say)> before = nullptr;
  /// Belongs to a request that has its turn, and takes none of its own: `timeout` is all the time
  /// that it has, whatever waits in rows.
  bool is_within_turn = false;
};

/// Taking an answer of 16 MB from its socket into new memory costs the client's thread 20 ms and
/// more, and everything else on that thread waits for them. So what may have such an answer has a
/// thread of its own.
struct UpstreamClients {
  net::Client& light;   ///< for what is known to be light, and for the router itself
  net::Client& costly;  ///< for the other lanes
  net::Client& of(Lane lane) const { return lane == Lane::kUsual ? light : costly; }
};

/// Sends one canonical form and reads the answer's envelope. Any thread; must not outlive the
/// clients.
class Upstream {
 public:
  /// Clients, readers and clock must outlive it.
  Upstream(UpstreamClients clients, UpstreamSettings settings, const access::ByteShares& shares,
           Readers& readers, service::MetricRegistry& metrics, const Clock& clock);

  /// Gives the answer, which is a success or the caller's own fault (bad_data, execution). Every
  /// other end is an error that names no address: kUnavailable (nobody there), kCorrupt (it
  /// answered, but with a fault of its own), kInternal (lost, see is_lost), kDeadline, kTooLarge,
  /// kInvalid (that of the ask's `before`),
  /// kOverLimit (the customer's other requests took so long that this one got no turn, its other
  /// answers fill its share, or it has a penalty: see Penalties, for the lanes of unknown and heavy
  /// queries; operators' brief and long ones have theirs apart). `done`
  /// is called on its client's thread, on that of another request that ends, on that on which the
  /// interest is lost, or, where the answer is large, on one of the readers. The turn is kept until
  /// it returns. While the store is away (see reach) it is called at once, with kUnavailable.
  void ask(Ask ask, std::function<void(Result<json::Envelope>)> done) const;
  /// The same, waiting, and out of turn: for the router itself. Never from an event loop.
  Result<json::Envelope> ask_and_wait(Ask ask) const;
  /// The answer as it came, for what is no Prometheus API.
  void fetch(Ask ask, std::function<void(Result<net::ClientResponse>)> done) const;
  const std::string& name() const { return settings_.name; }
  /// For its watch.
  Reach& reach() const { return *reach_; }

 private:
  using Done = std::function<void(Result<net::ClientResponse>)>;

  struct Waiting;
  net::ClientRequest request(Ask ask) const;
  void start(const std::shared_ptr<Waiting>& waiting, std::shared_ptr<Turns::Turn> turn) const;
  void begin(const std::shared_ptr<Waiting>& waiting, std::shared_ptr<Turns::Turn> turn) const;
  Result<void> may_ask(const std::string& payer, Lane lane) const;
  void note_end(const std::string& payer, const Result<net::ClientResponse>& response) const;
  Turns& row_of(const Ask& ask) const;
  void deliver(Ask ask, const std::string& customer, Done done) const;
  /// Sends when it is the customer's turn.
  void send(Ask ask, Done done) const;
  Result<json::Envelope> read(Result<net::ClientResponse> response) const;
  tl::unexpected<Error> failure(Error error) const;

  UpstreamClients clients_;
  UpstreamSettings settings_;
  access::ByteShares shares_;
  Readers& readers_;
  const Clock& clock_;
  // Shared with what is under way; by pointers, since this class is moved into its place.
  std::shared_ptr<Lanes> lanes_;
  std::shared_ptr<Penalties> penalties_;
  std::shared_ptr<Reach> reach_ = std::make_shared<Reach>();
  service::Counter& requests_;
  service::Counter& errors_;
  service::Counter& lost_;
  service::Counter& unended_;
  service::Counter& paused_;
  std::array<service::Counter*, kLanes> by_lane_;
};

}  // namespace vigia::router::upstream
