// One Prometheus-like server behind the router.
#pragma once

#include <functional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/json/envelope.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router {

struct UpstreamSettings {
  std::string name;   ///< as own metrics show it: "hot-0", "query", "cold"
  std::string url;    ///< without a path
  std::string token;  ///< sent as bearer token; empty: none
  std::uint64_t answer_bytes_max = 256U << 20U;
};

/// True where another store may still answer what this one did not.
bool is_store_fault(const Error& error);
/// The error as a caller sees it: what is wrong with a store is the same to it as its absence.
Error outward(Error error);

struct Ask {
  std::string path;
  Form form;
  bool is_post = true;  ///< false where the path takes GET only
  Duration timeout = std::chrono::seconds(30);
  net::Headers headers;
};

/// Sends one canonical form and reads the answer's envelope. Any thread; must not outlive the
/// client.
class Upstream {
 public:
  Upstream(net::Client& client, UpstreamSettings settings, service::MetricRegistry& metrics);

  /// Gives the answer, which is a success or the caller's own fault (bad_data, execution). Every
  /// other end is an error that names no address: kUnavailable (nobody there), kCorrupt (it
  /// answered, but with a fault of its own), kDeadline, kTooLarge. `done` is called on the client's
  /// thread.
  void ask(Ask ask, std::function<void(Result<Envelope>)> done) const;
  /// The same, waiting; never from an event loop.
  Result<Envelope> ask_and_wait(Ask ask) const;
  /// The answer as it came, for what is no Prometheus API.
  void fetch(Ask ask, std::function<void(Result<net::ClientResponse>)> done) const;
  const std::string& name() const { return settings_.name; }

 private:
  net::ClientRequest request(Ask ask) const;
  Result<Envelope> read(Result<net::ClientResponse> response) const;
  tl::unexpected<Error> failure(ErrorCode code, std::string_view what) const;

  net::Client& client_;
  UpstreamSettings settings_;
  service::Counter& requests_;
  service::Counter& errors_;
};

}  // namespace vigia::router
