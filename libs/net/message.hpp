// What goes over HTTP: headers, requests and responses, the same for HTTP/1.1, HTTP/2 and gRPC.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/stream_waker.hpp"

namespace vigia::net {

class WebSocketTalk;  // websocket.hpp

struct Header {
  std::string name;  ///< lower case
  std::string value;
};

/// In the order of arrival; a name may stand there several times. Look-ups want the name in lower
/// case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> headers) : headers_(headers) {}
  void add(std::string_view name, std::string_view value);  ///< lower-cases the name
  /// The first value, or "" where there is none.
  std::string_view get(std::string_view name) const;
  /// How often the name stands there. Two Authorization headers are an error, not a choice.
  std::size_t count(std::string_view name) const;
  auto begin() const { return headers_.begin(); }
  auto end() const { return headers_.end(); }
  std::size_t size() const { return headers_.size(); }

 private:
  std::vector<Header> headers_;
};

enum class Transport : std::uint8_t { kHttp1, kHttp2, kGrpc };

/// What is known of a request before its body is read.
struct RequestHead {
  Transport transport = Transport::kHttp1;
  std::string method;  ///< "GET"; as sent
  std::string path;    ///< "/v1/metrics": raw, up to "?", never unescaped or normalised
  std::string query;   ///< what follows "?", raw
  Headers headers;
  /// "127.0.0.1:4711"; behind a trusted proxy what it says the client is, with port 0.
  std::string peer;
  std::string client;  ///< the peer's address alone: "127.0.0.1"
  /// In whose name memory and turns are counted: what Handler::admit sets, such as a customer's id,
  /// or else the client's address (of an IPv6 one its /64).
  std::string owner;
  /// A hash of the credential that Handler::admit took, where it notes one: handle() checks it once
  /// more, and need not hash it once more.
  std::optional<std::array<std::uint8_t, 32>> credential;
  bool is_encrypted = false;
};

/// A whole request. The body is decoded: de-chunked, decompressed; of gRPC the one message without
/// its prefix. Only where Handler::reads_coding says so it is left as it came.
struct Request : RequestHead {
  std::string body;
  std::size_t wire_bytes = 0;  ///< the body's size as it was sent
};

/// Gives the body piece by piece: the next piece, "" at the end, nothing where none is ready yet
/// (then Response::waker says when), or an error, which breaks the stream off (the client sees an
/// incomplete body). Called on the event loop, never concurrently, only while the client keeps up,
/// and gone once the client is or has all of it.
using BodySource = std::function<Result<std::optional<std::string>>()>;

/// Status codes of gRPC (grpc/grpc doc/statuscodes.md) that we use.
enum class GrpcCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16
};

/// The answer to a request. For Transport::kGrpc the server frames `body` as the one message and
/// sends `grpc_code` and `grpc_message` as trailers; `grpc_details` becomes
/// grpc-status-details-bin. `status` counts there only where it is an error and `grpc_code` is not:
/// 404 is UNIMPLEMENTED.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  /// Where set, sent instead of `body`, and never copied: for what many clients ask for, such as a
  /// page's files. Not for gRPC.
  std::shared_ptr<const std::string> shared_body;
  BodySource stream;  ///< where set, sent after the body, chunked; not for gRPC
  /// The same in gzip, where its maker can: sent instead of a `stream` that has no body before it
  /// to clients that take gzip. The server itself compresses no streams.
  BodySource gzip_stream;
  /// Of a `stream` that may have nothing ready. The time in which it has not is none of the
  /// client's slowness.
  std::shared_ptr<StreamWaker> waker;
  /// Where set and there is no `stream`: let go when the client has taken nearly all of the body,
  /// or is gone. For whoever counts what slow clients keep in memory, beside the server, which
  /// counts by address (ServerSettings::answer_bytes_max).
  std::shared_ptr<void> held;
  /// Where set, the answer is 101 and the connection speaks WebSocket from here on, with this. Only
  /// for a request that refuse_websocket (websocket.hpp) has nothing against. `waker` is its too.
  std::shared_ptr<WebSocketTalk> websocket;
  GrpcCode grpc_code = GrpcCode::kOk;
  std::string grpc_message;
  std::string grpc_details;  ///< a serialised google.rpc.Status

  const std::string& content() const { return shared_body ? *shared_body : body; }
};

}  // namespace vigia::net
