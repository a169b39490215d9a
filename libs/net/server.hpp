// One port that speaks gRPC, HTTP/2 (by prior knowledge or ALPN) and HTTP/1.1, plain or TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/net/budget.hpp"
#include "libs/net/grpc_talk.hpp"
#include "libs/net/message.hpp"
#include "libs/net/responder.hpp"

namespace vigia::net {

/// Older ones are spoken with nobody.
enum class TlsVersion : std::uint8_t { k12, k13 };

/// Files in PEM. They are read at the start and again when they change (by renaming new ones to
/// their names, or a link that leads to them): connections that begin some seconds later have the
/// new ones, the others go on. New ones that cannot be used leave the old ones.
struct TlsServerSettings {
  std::string cert_file;
  std::string key_file;
  /// Mutual TLS: only a client whose certificate one of these has signed is let in. Empty: any.
  std::string client_ca_file = {};
  /// Whether another client_ca_file is seen by itself, and not only where the pair changes too.
  bool watches_client_ca = true;
  /// A client that speaks nothing between the two is refused in the handshake.
  TlsVersion min_version = TlsVersion::k12;
  TlsVersion max_version = TlsVersion::k13;
  /// How often the files are looked at.
  Duration look_interval = std::chrono::seconds(1);
};

struct ServerSettings {
  std::string name;       ///< in messages: "collector otlp/grpc"
  std::string listen;     ///< "127.0.0.1:4317", "[::1]:4317"; port 0 takes a free one
  std::size_t loops = 0;  ///< event loops, each a thread; 0 is one per core
  std::size_t body_bytes_max = 64U << 20U;    ///< after decompression (R-OTLP-3)
  std::size_t header_bytes_max = 64U << 10U;  ///< all headers of one request together
  /// Of all clients, of which one address may have at most two thirds (Budget); more are closed at
  /// once and counted. Never more than the process may open files.
  std::size_t connections_max = 20'000;
  std::size_t streams_max = 256;  ///< HTTP/2 requests in flight per connection
  /// Of bodies being received or waiting to be unpacked, of all connections; an owner may have at
  /// most two thirds of seven eighths. Over it 503.
  std::size_t buffered_bytes_max = 256U << 20U;
  /// Of heads being received or waiting for bodies; by address as above. Over it 503.
  std::size_t head_bytes_max = 256U << 20U;
  /// Of answers that their clients have not read; by address as above. Over it answers of more than
  /// 4 KiB become 503, and requests on connections that hold some wait. What a stream keeps to make
  /// its pieces from is its maker's to bound.
  std::size_t answer_bytes_max = 256U << 20U;
  /// Of one connection; above it its next requests wait, request_timeout at most. Eight times as
  /// much for a trusted proxy's.
  std::size_t unread_bytes_max = 1U << 20U;
  /// What a client has to take 16 KiB of an answer in, or its stream or connection ends, while 7/8
  /// of answer_bytes_max are held, which takes many addresses; else request_timeout.
  Duration answer_timeout_crowded = std::chrono::seconds(5);
  /// Instead of the bounds for all clients above: what servers of one process share.
  std::shared_ptr<ServerBudgets> budgets;
  /// Reverse proxies ("127.0.0.1", "10.0.0.0/8"), whose connections have no share by address, and
  /// whose X-Forwarded-For or Forwarded says who the client is. Nobody else's is looked at.
  std::vector<std::string> trusted_proxies;
  /// From the first byte of a request to its last; of a GrpcTalk too.
  Duration request_timeout = std::chrono::seconds(30);
  /// From the first byte of a request to the end of its head.
  Duration head_timeout = std::chrono::seconds(10);
  /// The same, and until the first byte, while half of the connections are taken.
  Duration head_timeout_crowded = std::chrono::seconds(2);
  /// The least pace of a body, counted from the end of its head on after a time of grace.
  std::size_t body_bytes_per_second_min = 1024;
  Duration body_grace = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::minutes(5);
  /// Of idle connections while connections_max, or the limit of open files, is reached.
  Duration idle_timeout_crowded = std::chrono::seconds(5);
  /// Of a client's message on a WebSocket; a larger one closes it with 1009.
  std::size_t websocket_message_bytes_max = 4U << 10U;
  /// A WebSocket on which nothing comes for so long is pinged, and given up where nothing has come
  /// after the second: what lies in the network's buffers is read before a ping behind it.
  Duration websocket_ping_interval = std::chrono::seconds(15);
  Duration websocket_pong_timeout = std::chrono::seconds(45);
  std::optional<TlsServerSettings> tls;
  /// Told of a client with which no TLS connection came about, and why, as "peer did not return a
  /// certificate". On an event loop; must not block, and bounds what it does of it: strangers come
  /// as often as they like. Empty: nobody is.
  std::function<void(std::string_view peer, std::string_view why)> on_tls_refused = {};
  /// Told when the certificate is over that was read, in seconds since 1970, at the start and when
  /// the files have changed; or why the new ones cannot be used. On the caller's thread at the
  /// start, then on one of its own.
  std::function<void(const Result<std::int64_t>& expires_s)> on_tls_read = {};
};

/// Budgets of these bounds, for whoever looks at them or gives them to several servers.
std::shared_ptr<ServerBudgets> make_budgets(const ServerSettings& settings);

/// kInvalid, naming the entry of trusted_proxies that is neither an address nor a network.
Result<void> check_proxies(const std::vector<std::string>& entries);

/// What a service does with requests. Both calls come on an event loop, `handle` also on a thread
/// that unpacks large bodies, and must not block; several threads call at once. What they throw is
/// a fault of ours that costs the request, with 500 / INTERNAL, and not the program
/// (libs/base/fault.hpp).
class Handler {
 public:
  virtual ~Handler() = default;
  /// Called when the headers are there, before a byte of the body is kept: an answer given here
  /// ends the request. The place to check tokens and paths, and to say who the owner is.
  virtual std::optional<Response> admit(RequestHead& /*head*/) { return std::nullopt; }
  /// Whether the handler decodes a body of this Content-Encoding (lower case) itself, and bounds
  /// it. The server decodes gzip, x-gzip, deflate, zlib and zstd, and answers 415 to all
  /// others.
  virtual bool reads_coding(const RequestHead& /*head*/, std::string_view /*coding*/) const {
    return false;
  }
  /// The most that the body of this request may have, where that is less than the server's bound;
  /// before and after it is decoded.
  virtual std::size_t body_bytes_max(const RequestHead& /*head*/) const { return SIZE_MAX; }
  /// Of a gRPC request that `admit` has let in: who answers its messages one by one, where its
  /// client may send several. Then `handle` is not called for it, and body_bytes_max is the most of
  /// one message.
  virtual std::unique_ptr<GrpcTalk> open_talk(const RequestHead& /*head*/) { return nullptr; }
  virtual void handle(Request request, Responder responder) = 0;
  /// A request that the server itself refuses (body too large, bad compression, too slow, over its
  /// memory). The default is the OTLP form of the error.
  virtual Response refuse(const RequestHead& head, const Error& error);
};

struct ServerStats {
  std::uint64_t connections = 0;  ///< open now
  std::uint64_t connections_refused = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_refused = 0;  ///< by the server itself, before the handler
  std::uint64_t buffered_bytes = 0;    ///< of bodies, of all servers that share the budgets
  std::uint64_t head_bytes = 0;        ///< likewise
  std::uint64_t answer_bytes = 0;      ///< likewise; not read yet
  std::uint64_t answers_refused = 0;   ///< likewise; for what their addresses had not read
};

/// Thread contract: start, stop and the destructor from one thread; the rest from any.
class Server {
 public:
  /// Binds and begins to serve. kUnavailable, naming the address, where the port is taken: it is
  /// probed with a plain bind first, since SO_REUSEPORT would hide a second copy. `handler` must
  /// outlive the server.
  static Result<std::unique_ptr<Server>> start(ServerSettings settings, Handler& handler);
  virtual ~Server() = default;

  /// "127.0.0.1:4317", with the port that was really taken.
  virtual std::string address() const = 0;
  virtual std::uint16_t port() const = 0;
  virtual ServerStats stats() const = 0;
  /// Takes no new connections, sends GOAWAY, lets requests in flight end until the deadline, then
  /// closes. Safe twice.
  virtual void stop(TimePoint deadline) noexcept = 0;
};

}  // namespace vigia::net
