#include "libs/net/internal/http2_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vigia::net::internal {

std::optional<std::size_t> Http2Stream::read_body(std::span<std::uint8_t> room, bool& is_end,
                                                  SessionHost& host, std::size_t& unsent_of_all) {
  std::size_t read = 0;
  while (read < room.size()) {
    if (offset == response.content().size() && response.stream) {
      // One piece at a time, asked for when the one before has gone: the answer is never in memory
      // whole.
      auto next = response.stream();
      if (next && !next->has_value()) break;  // until resume()
      if (!next || !host.has_room_for((*next)->size())) return std::nullopt;
      if ((*next)->empty()) response.stream = nullptr;
      response.body = std::move(**next);
      response.shared_body = nullptr;
      offset = 0;
      count_unsent(answer_bytes(), unsent_of_all);
    }
    const std::string& body = response.content();
    if (offset == body.size()) break;
    const std::size_t count = std::min(room.size() - read, body.size() - offset);
    std::memcpy(room.data() + read, body.data() + offset, count);
    offset += count;
    read += count;
  }
  is_end = offset == response.content().size() && !response.stream;
  return read;
}

}  // namespace vigia::net::internal
