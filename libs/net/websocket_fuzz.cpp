// Any bytes as a client's frames: the first byte says how they are cut. What is read is the same as
// of all at once, and no message is larger than it may be.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/check.hpp"
#include "libs/net/internal/websocket_frames.hpp"

namespace {

using vigia::net::internal::WebSocketEvent;
using vigia::net::internal::WebSocketReader;

constexpr std::size_t kMessageBytesMax = 256;

std::vector<WebSocketEvent> read(std::string_view bytes, std::size_t piece) {
  WebSocketReader reader(kMessageBytesMax);
  std::vector<WebSocketEvent> events;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (auto event = reader.take(part)) {
      CHECK(event->payload.size() <= kMessageBytesMax);
      events.push_back(std::move(*event));
    }
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = read(bytes, bytes.size());
  const auto cut = read(bytes, std::max<std::size_t>(data[0], 1));
  CHECK(whole.size() == cut.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(whole[i].kind == cut[i].kind && whole[i].payload == cut[i].payload &&
          whole[i].code == cut[i].code);
  }
  return 0;
}
