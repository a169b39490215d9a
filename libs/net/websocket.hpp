// WebSocket (RFC 6455) on a connection of a server: what a handler answers with, and asks before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::net {

/// Codes of RFC 6455 §7.4.1 and of IANA's registry.
namespace websocket_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolFault = 1002;
inline constexpr std::uint16_t kNotUtf8 = 1007;
inline constexpr std::uint16_t kPolicy = 1008;
inline constexpr std::uint16_t kTooLarge = 1009;
inline constexpr std::uint16_t kInternal = 1011;
}  // namespace websocket_code

/// The end that the server wants: a code and a sentence of at most 123 bytes (more is cut).
struct WebSocketClose {
  std::uint16_t code = websocket_code::kNormal;
  std::string reason = {};
};

/// Nothing (Response::waker says when there is more), a message of text in UTF-8, or the end.
using WebSocketOut = std::variant<std::monostate, std::string, WebSocketClose>;

/// The handler's side of one connection that was switched: Response::websocket. All calls come on
/// the connection's event loop, one at a time, and must not block.
class WebSocketTalk {
 public:
  WebSocketTalk() = default;
  WebSocketTalk(const WebSocketTalk&) = delete;
  WebSocketTalk& operator=(const WebSocketTalk&) = delete;
  virtual ~WebSocketTalk() = default;

  /// What to send next. Asked only while the client keeps up: what a slow one has not taken waits
  /// at the talk, which bounds it. Asked some ten times a second besides: the usual answer is
  /// cheap.
  virtual WebSocketOut next() = 0;
  /// A whole message of the client's, of at most ServerSettings::websocket_message_bytes_max (a
  /// larger one ends the connection with 1009). Text is UTF-8.
  virtual void receive(std::string /*message*/) {}
  /// Nothing is sent any more, whoever has ended it. Once, and last of all.
  virtual void ended() {}
};

/// Why a request cannot be answered with a WebSocket: kInvalid. Its status is 426 where another
/// protocol is what helps, else 400.
struct WebSocketRefusal {
  Error error;
  int status = 400;
};
/// Nothing where it can: HTTP/1.1, GET, no body, `Upgrade: websocket`, a key, version 13.
std::optional<WebSocketRefusal> refuse_websocket(const RequestHead& head);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2).
std::string websocket_accept(std::string_view key);

}  // namespace vigia::net
