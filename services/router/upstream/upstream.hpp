// One Prometheus-like server behind the router.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/spool/arriving_body.hpp"
#include "services/router/spool/spool.hpp"
#include "services/router/upstream/ask.hpp"
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
  /// Storage knows customers: it is told the ask's, by the header that fences there, and gives what
  /// is everybody's where there is none. Of a Prometheus the customer stands in each selector.
  bool knows_customers = false;
  std::optional<net::TlsClientSettings> tls = {};  ///< of an https:// url; none: the system's
};

/// Taking an answer of 16 MB from its socket into new memory costs the client's thread 20 ms and
/// more, and everything else on that thread waits for them. So what may have such an answer has a
/// thread of its own.
struct UpstreamClients {
  net::Client& light;   ///< for what is known to be light, and for the router itself
  net::Client& costly;  ///< for the other lanes
  net::Client& of(Lane lane) const { return lane == Lane::kUsual ? light : costly; }
};

/// What keeps answers, and counts them while they come.
struct AnswerKeeping {
  const access::ByteShares& shares;  ///< of memory
  const spool::Spool& spool;
  Readers& readers;
};

/// Sends one canonical form and reads the answer's envelope. Any thread; must not outlive the
/// clients.
class Upstream final : public AskedStore {
 public:
  /// Clients, spool, readers and clock must outlive it.
  Upstream(UpstreamClients clients, UpstreamSettings settings, const AnswerKeeping& keeping,
           service::MetricRegistry& metrics, const Clock& clock);

  void ask(Ask ask, Task<void(Result<wire::prometheus_api::Envelope>)> done) const override;
  /// As `ask`, waiting, and out of turn: for the router itself. Never from an event loop.
  Result<wire::prometheus_api::Envelope> ask_and_wait(Ask ask) const;
  void fetch(Ask ask, Task<void(Result<net::ClientResponse>)> done) const override;
  const std::string& name() const { return settings_.name; }
  /// How many connections to it have brought an answer so far. Told before the answer is: where it
  /// has not grown since the store was looked at, the process that answers is the one that was
  /// there then, or was there before.
  std::uint64_t connections() const { return *connections_; }
  /// For its watch.
  Reach& reach() const { return *reach_; }

 private:
  using Done = Task<void(Result<net::ClientResponse>)>;
  /// Null where the answer stays in memory whatever its size. Shared with the client's exchange.
  using Body = std::shared_ptr<spool::ArrivingBody>;

  struct Waiting;
  struct Arriving;
  net::ClientRequest request(Ask ask) const;
  std::uint64_t answer_bytes_max(const Ask& ask) const;
  void start(const std::shared_ptr<Waiting>& waiting, std::shared_ptr<Turns::Turn> turn) const;
  void begin(const std::shared_ptr<Waiting>& waiting, std::shared_ptr<Turns::Turn> turn) const;
  Result<void> may_ask(const std::string& payer, Lane lane) const;
  void note_end(const std::string& payer, const Result<net::ClientResponse>& response) const;
  Turns& row_of(const Ask& ask) const;
  void note_connection(const Result<net::ClientResponse>& response) const;
  void deliver(Ask ask, const std::shared_ptr<Arriving>& arriving, Done done) const;
  Result<net::ClientResponse> judge(const Arriving& arriving,
                                    Result<net::ClientResponse> response) const;
  void hand_over(const std::shared_ptr<Arriving>& arriving, net::ClientResponse response,
                 Done done) const;
  void hand_over_text(const std::shared_ptr<Arriving>& arriving, net::ClientResponse response,
                      Done done) const;
  Body body_for(const Ask& ask) const;
  /// Sends when it is the customer's turn.
  void send(Ask ask, Body body, Done done) const;
  Result<wire::prometheus_api::Envelope> read(Result<net::ClientResponse> response,
                                              const Body& body) const;
  tl::unexpected<Error> failure(Error error) const;

  UpstreamClients clients_;
  UpstreamSettings settings_;
  access::ByteShares shares_;
  const spool::Spool& spool_;
  Readers& readers_;
  const Clock& clock_;
  // Shared with what is under way; by pointers, since this class is moved into its place.
  std::shared_ptr<Lanes> lanes_;
  std::shared_ptr<Penalties> penalties_;
  std::shared_ptr<Reach> reach_ = std::make_shared<Reach>();
  std::shared_ptr<std::atomic<std::uint64_t>> connections_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  service::Counter& requests_;
  service::Counter& errors_;
  service::Counter& lost_;
  service::Counter& unended_;
  service::Counter& paused_;
  std::array<service::Counter*, kLanes> by_lane_;
};

}  // namespace vigia::router::upstream
