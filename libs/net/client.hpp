// HTTP and gRPC client on libcurl's multi interface: one thread, connections kept and shared.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/net/message.hpp"

namespace vigia::net {

struct TlsClientSettings {
  std::string ca_file;    ///< empty: the system's
  std::string cert_file;  ///< for mutual TLS
  std::string key_file;
  /// Any certificate will do, of any name: whoever is between can read and change everything.
  bool skip_verify = false;
};

/// What has become of a piece of a body that was offered.
enum class PieceVerdict : std::uint8_t {
  kTaken,
  kLater,  ///< nothing of it: it is offered again after Client::resume, and nothing read meanwhile
  kRefused,  ///< nothing of it, nor of the rest
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://
  Headers headers;
  std::string body;
  Duration timeout = std::chrono::seconds(10);  ///< for the whole exchange
  std::size_t response_bytes_max = 64U << 20U;  ///< after decompression
  std::optional<TlsClientSettings> tls;
  /// Asked before so many more bytes of the response's body are kept, on the client's thread; false
  /// ends the exchange with kTooLarge. For who shares memory among many. Empty: yes.
  std::function<bool(std::size_t bytes)> may_grow = {};
  /// Takes the body piece by piece, on the client's thread, in the place of ClientResponse::body.
  /// Of any status, since the head comes with `done`. Must not block. kRefused ends the exchange
  /// with kTooLarge; so does response_bytes_max, which counts what was taken. Such an exchange
  /// shares its connection with no other at the same time. Not of calls, and not together with
  /// `cuts_body`. Empty: the body is kept.
  std::function<PieceVerdict(std::string_view piece)> on_piece = {};
  /// "192.0.2.1:8443" or "[2001:db8::1]:443": connected to in the place of the URL's host, whose
  /// name stays what is asked for, offered (SNI) and verified. HTTP/1.1, so that no two exchanges
  /// share a connection at the same time. Where there is a proxy, it connects there. Empty: the
  /// URL's host.
  std::string connect_to = {};
  /// The answer is what came up to response_bytes_max, and the rest is left unread; else an answer
  /// that is larger is kTooLarge.
  bool cuts_body = false;
  /// Told before `done`, on the same thread, where any of the request went out: the other side may
  /// have seen it, and acted. Not told where no connection could be made.
  std::function<void()> on_sent = {};
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
  /// It came over a connection that was made for it; else over a kept one. A kept one ends at the
  /// process that it was made to, a new one perhaps at its successor. Of `call` it says nothing.
  bool has_new_connection = false;
};

struct GrpcReply {
  GrpcCode code = GrpcCode::kOk;
  std::string message;
  std::string details;  ///< grpc-status-details-bin, decoded, at most 8 KiB
  std::string body;     ///< the one message
  std::string date;     ///< of the answer's head; "" where it has none
};

struct ClientSettings {
  std::size_t connections_per_host_max = 8;  ///< at one address and port; 0 for no bound
  std::string user_agent = "vigia/" VIGIA_VERSION;
  bool follow_redirects = false;  ///< never by default: a token must not travel on
};

/// Thread contract: any thread; close and the destructor from one. `done` is called once, on one of
/// the client's two threads (on the caller's where the client is closed), and must not block.
class Client {
 public:
  static std::unique_ptr<Client> create(ClientSettings settings);
  virtual ~Client() = default;
  /// What is in flight ends with kUnavailable, and so does at once what is sent from now on. For
  /// owners whose `done` speaks to parts that end before the client. The destructor does it too.
  virtual void close() = 0;
  /// Errors: kUnavailable (no connection, reset, name unknown), kDeadline, kTooLarge (response),
  /// kInvalid (url). Any HTTP status is a success here; see error_from_http.
  /// Gives the request's number, for cancel; `done` may have been called by then.
  virtual std::uint64_t send(ClientRequest request, Task<void(Result<ClientResponse>)> done) = 0;
  /// Ends a request that is not over with kUnavailable: the other side sees its connection close,
  /// or its stream reset. `done` comes later, on the client's thread. Any thread; what is over, or
  /// a client that is closed, makes it do nothing.
  virtual void cancel(std::uint64_t request) = 0;
  /// Goes on with a request whose `on_piece` has said kLater, soon and on the client's thread. Any
  /// thread; once too often does no harm.
  virtual void resume(std::uint64_t /*request*/) {}
  /// One unary call: `url` is http://host:port/package.Service/Method, `body` the bare message.
  /// `compression`:
  /// "", "gzip" or "zstd". Trailers that are missing give kUnavailable, a bad frame kCorrupt.
  virtual void call(ClientRequest request, std::string_view compression,
                    Task<void(Result<GrpcReply>)> done) = 0;
  /// `send`, waiting. Never from an event loop.
  Result<ClientResponse> fetch(ClientRequest request);
};

}  // namespace vigia::net
