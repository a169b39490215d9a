// Frames of WebSocket (RFC 6455 §5): a client's are read, a server's written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::net::internal {

enum class WebSocketOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

/// What a client has said.
struct WebSocketEvent {
  enum class Kind : std::uint8_t { kMessage, kPing, kPong, kClose, kFault };
  Kind kind;
  std::string payload;     ///< of kFault what is wrong, of kClose the client's reason
  std::uint16_t code = 0;  ///< of kClose the client's (0: none was given), of kFault ours
};

/// Reads frames however they are cut. What it holds is bounded by `message_bytes_max` and one
/// control frame. One thread.
class WebSocketReader {
 public:
  /// `message_bytes_max`: of a message, all its frames together.
  explicit WebSocketReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  /// Takes bytes off the front until something is whole. Nothing: all are taken, and more are
  /// needed. After kClose and kFault no more are taken.
  std::optional<WebSocketEvent> take(std::string_view& bytes);

 private:
  bool take_head(std::string_view& bytes);
  std::size_t head_bytes() const;
  std::optional<WebSocketEvent> check_head();
  std::optional<WebSocketEvent> check_size();
  void take_payload(std::string_view& bytes);
  std::optional<WebSocketEvent> end_frame();
  WebSocketEvent end_message();
  WebSocketEvent read_close();
  WebSocketEvent fault(std::uint16_t code, std::string_view why);

  bool is_control() const { return (opcode_ & 8U) != 0; }
  std::string& target() { return is_control() ? control_ : message_; }

  const std::size_t message_bytes_max_;
  std::string head_;  // of the frame that comes
  std::uint8_t opcode_ = 0;
  bool is_last_ = false;
  bool is_in_payload_ = false;
  std::uint64_t left_ = 0;  // of the payload
  std::size_t masked_ = 0;  // bytes of the payload that were unmasked
  std::string message_;
  std::string control_;
  std::size_t parts_ = 0;  // of the message
  bool is_in_message_ = false;
  bool is_text_ = false;
  bool is_over_ = false;
};

/// The head of a frame that is whole, unmasked: a server's.
std::string websocket_frame_head(WebSocketOpcode opcode, std::size_t payload_bytes);
/// The payload of a close frame. `reason` is cut to what a control frame may have.
std::string websocket_close_payload(std::uint16_t code, std::string_view reason);

}  // namespace vigia::net::internal
