// For tests: frames as a client writes them, well or badly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::net::internal {

struct ClientFrame {
  std::uint8_t first = 0x81;  ///< FIN, RSV and the opcode
  bool is_masked = true;
  std::string_view mask = "\x11\x22\x33\x44";
};

/// The head in as few bytes as it takes, then the payload.
inline std::string client_frame(std::string_view payload, ClientFrame form = {}) {
  std::string frame(1, static_cast<char>(form.first));
  const unsigned mask_bit = form.is_masked ? 0x80U : 0;
  const std::size_t size = payload.size();
  if (size < 126) {
    frame += static_cast<char>(mask_bit | size);
  } else {
    frame += static_cast<char>(mask_bit | (size < 65'536 ? 126U : 127U));
    for (int i = size < 65'536 ? 1 : 7; i >= 0; --i) {
      frame += static_cast<char>(size >> (8U * static_cast<unsigned>(i)) & 0xffU);
    }
  }
  if (!form.is_masked) return frame.append(payload);
  frame += form.mask;
  for (std::size_t i = 0; i < size; ++i) {
    frame += static_cast<char>(payload[i] ^ form.mask[i % form.mask.size()]);
  }
  return frame;
}

inline std::string client_frame(std::uint8_t first, std::string_view payload) {
  return client_frame(payload, {.first = first});
}

/// A server's frame of fewer than 126 bytes.
inline std::string server_frame(std::uint8_t first, std::string_view payload) {
  return std::string{static_cast<char>(first), static_cast<char>(payload.size())}.append(payload);
}

/// A close frame's payload.
inline std::string close_payload(std::uint16_t code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)}.append(reason);
}

}  // namespace vigia::net::internal
