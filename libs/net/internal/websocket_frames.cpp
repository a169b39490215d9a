#include "libs/net/internal/websocket_frames.hpp"

#include <algorithm>
#include <utility>

#include "libs/base/utf8.hpp"
#include "libs/net/websocket.hpp"

namespace vigia::net::internal {
namespace {

constexpr std::size_t kFirstBytes = 2;
constexpr std::size_t kMaskBytes = 4;
constexpr std::size_t kControlBytesMax = 125;
constexpr std::size_t kCodeBytes = 2;
constexpr std::size_t kPartsMax = 1'000;  // empty ones have no other bound
constexpr unsigned kLength16 = 126;
constexpr unsigned kLength64 = 127;

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) {
    out += static_cast<char>(value >> (8U * static_cast<unsigned>(i)) & 0xffU);
  }
}

/// Whether a peer may say so (RFC 6455 §7.4, and IANA's registry up to 1014).
bool is_code(std::uint16_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

std::optional<WebSocketEvent> WebSocketReader::take(std::string_view& bytes) {
  while (!is_over_) {
    if (!is_in_payload_) {
      if (!take_head(bytes)) return head_.size() < kFirstBytes ? std::nullopt : check_head();
      if (auto wrong = check_head()) return wrong;
      if (auto wrong = check_size()) return wrong;
      is_in_payload_ = true;
    }
    take_payload(bytes);
    if (left_ > 0) return std::nullopt;
    is_in_payload_ = false;
    head_.clear();
    if (auto event = end_frame()) return event;
  }
  return std::nullopt;
}

std::size_t WebSocketReader::head_bytes() const {
  if (head_.size() < kFirstBytes) return kFirstBytes;
  const unsigned length = byte_at(head_, 1) & 0x7fU;
  const std::size_t more = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
  return kFirstBytes + more + kMaskBytes;
}

/// False where more bytes are needed.
bool WebSocketReader::take_head(std::string_view& bytes) {
  while (head_.size() < head_bytes()) {
    if (bytes.empty()) return false;
    const std::size_t count = std::min(bytes.size(), head_bytes() - head_.size());
    head_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
  }
  return true;
}

/// Of the first two bytes, which say all but the length: whoever is wrong there is told at once.
std::optional<WebSocketEvent> WebSocketReader::check_head() {
  const unsigned first = byte_at(head_, 0);
  const unsigned second = byte_at(head_, 1);
  opcode_ = static_cast<std::uint8_t>(first & 0x0fU);
  is_last_ = (first & 0x80U) != 0;
  if ((first & 0x70U) != 0)
    return fault(websocket_code::kProtocolFault, "no extension was agreed upon");
  if (!is_known(opcode_)) return fault(websocket_code::kProtocolFault, "the opcode is not known");
  if ((second & 0x80U) == 0)
    return fault(websocket_code::kProtocolFault, "a client's frame must be masked");
  if (is_control()) {
    if (!is_last_) return fault(websocket_code::kProtocolFault, "a control frame is never cut");
    if ((second & 0x7fU) > kControlBytesMax)
      return fault(websocket_code::kProtocolFault, "a control frame is too long");
    return std::nullopt;
  }
  const bool is_begin = opcode_ != static_cast<std::uint8_t>(WebSocketOpcode::kContinuation);
  if (is_begin == is_in_message_) {
    return fault(websocket_code::kProtocolFault, is_begin ? "a message begins within another"
                                                          : "there is no message to go on with");
  }
  return std::nullopt;
}

/// The head is whole.
std::optional<WebSocketEvent> WebSocketReader::check_size() {
  const std::string_view head = head_;
  const unsigned length = byte_at(head, 1) & 0x7fU;
  left_ = length;
  if (length >= kLength16) {
    left_ = big_endian(head.substr(kFirstBytes, head.size() - kFirstBytes - kMaskBytes));
    const std::uint64_t least = length == kLength16 ? kLength16 : 1U << 16U;
    if (left_ < least)
      return fault(websocket_code::kProtocolFault, "a length is written in the fewest bytes");
  }
  masked_ = 0;
  if (!is_control() && ++parts_ > kPartsMax)
    return fault(websocket_code::kPolicy, "the message has too many parts");
  if (is_control()) return std::nullopt;
  // Before a byte of it is kept; an overflow of the sum is none: the message is bounded.
  if (left_ > message_bytes_max_ - message_.size()) {
    return fault(websocket_code::kTooLarge, "the message is too large");
  }
  if (!is_in_message_) {
    is_text_ = opcode_ == static_cast<std::uint8_t>(WebSocketOpcode::kText);
    is_in_message_ = true;
  }
  return std::nullopt;
}

void WebSocketReader::take_payload(std::string_view& bytes) {
  const std::size_t count = std::min<std::uint64_t>(bytes.size(), left_);
  const std::string_view mask = std::string_view(head_).substr(head_.size() - kMaskBytes);
  std::string& out = target();
  for (const char byte : bytes.substr(0, count)) {
    out += static_cast<char>(byte ^ mask[masked_++ % kMaskBytes]);
  }
  bytes.remove_prefix(count);
  left_ -= count;
}

/// Nothing where the frame is part of a message.
std::optional<WebSocketEvent> WebSocketReader::end_frame() {
  using Kind = WebSocketEvent::Kind;
  switch (static_cast<WebSocketOpcode>(opcode_)) {
    case WebSocketOpcode::kPing:
      return WebSocketEvent{Kind::kPing, std::exchange(control_, {})};
    case WebSocketOpcode::kPong:
      return WebSocketEvent{Kind::kPong, std::exchange(control_, {})};
    case WebSocketOpcode::kClose:
      return read_close();
    default:
      if (!is_last_) return std::nullopt;
      return end_message();
  }
}

WebSocketEvent WebSocketReader::end_message() {
  is_in_message_ = false;
  parts_ = 0;
  std::string message = std::exchange(message_, {});
  if (is_text_ && !is_utf8(message)) return fault(websocket_code::kNotUtf8, "text is UTF-8");
  return {WebSocketEvent::Kind::kMessage, std::move(message)};
}

WebSocketEvent WebSocketReader::read_close() {
  is_over_ = true;
  if (control_.empty()) return {WebSocketEvent::Kind::kClose, ""};
  const auto code =
      static_cast<std::uint16_t>(big_endian(std::string_view(control_).substr(0, kCodeBytes)));
  if (control_.size() < kCodeBytes || !is_code(code)) {
    return fault(websocket_code::kProtocolFault, "the code of a close frame is none");
  }
  std::string reason = control_.substr(kCodeBytes);
  if (!is_utf8(reason)) return fault(websocket_code::kNotUtf8, "text is UTF-8");
  return {WebSocketEvent::Kind::kClose, std::move(reason), code};
}

WebSocketEvent WebSocketReader::fault(std::uint16_t code, std::string_view why) {
  is_over_ = true;
  return {WebSocketEvent::Kind::kFault, std::string(why), code};
}

std::string websocket_frame_head(WebSocketOpcode opcode, std::size_t payload_bytes) {
  std::string head(1, static_cast<char>(0x80U | static_cast<unsigned>(opcode)));
  if (payload_bytes < kLength16) {
    head += static_cast<char>(payload_bytes);
  } else if (payload_bytes <= 0xffff) {
    head += static_cast<char>(kLength16);
    append_big_endian(head, payload_bytes, 2);
  } else {
    head += static_cast<char>(kLength64);
    append_big_endian(head, payload_bytes, 8);
  }
  return head;
}

std::string websocket_close_payload(std::uint16_t code, std::string_view reason) {
  std::string payload;
  append_big_endian(payload, code, kCodeBytes);
  payload += utf8_beginning(reason, kControlBytesMax - kCodeBytes);
  return payload;
}

}  // namespace vigia::net::internal
