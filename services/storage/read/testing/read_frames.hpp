// What Prometheus makes of the frames of a streamed answer, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_reader.hpp>

#include "libs/base/check.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::read {

struct FrameChunk {
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  int encoding = 0;
  std::string data;
};

struct Frame {
  std::string metric;
  std::int64_t query = 0;
  std::vector<FrameChunk> chunks;
};

inline FrameChunk read_frame_chunk(protozero::pbf_reader reader) {
  FrameChunk chunk;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        chunk.first_ms = reader.get_int64();
        break;
      case 2:
        chunk.last_ms = reader.get_int64();
        break;
      case 3:
        chunk.encoding = reader.get_enum();
        break;
      default:
        chunk.data = reader.get_string();
    }
  }
  return chunk;
}

inline void read_frame_label(protozero::pbf_reader reader, Frame& frame) {
  std::string name;
  std::string value;
  while (reader.next()) {
    std::string& text = reader.tag() == 1 ? name : value;  // asked for first: reading forgets it
    text = reader.get_string();
  }
  if (name == "__name__") frame.metric = value;
}

inline Frame read_frame(protozero::pbf_reader reader) {
  Frame frame;
  while (reader.next()) {
    if (reader.tag() == 2) {
      frame.query = reader.get_int64();
      continue;
    }
    for (protozero::pbf_reader series = reader.get_message(); series.next();) {
      if (series.tag() == 1) {
        read_frame_label(series.get_message(), frame);
      } else {
        frame.chunks.push_back(read_frame_chunk(series.get_message()));
      }
    }
  }
  return frame;
}

/// All frames, whose sums must be right.
inline std::vector<Frame> read_frames(std::string_view stream) {
  std::vector<Frame> frames;
  while (!stream.empty()) {
    const char* at = stream.data();
    const auto size = protozero::decode_varint(&at, stream.data() + stream.size());
    stream.remove_prefix(static_cast<std::size_t>(at - stream.data()));
    CHECK(stream.size() >= size + 4);
    std::uint32_t sum = 0;
    for (int i = 0; i < 4; ++i) sum = sum << 8U | static_cast<std::uint8_t>(stream[i]);
    const std::string_view message = stream.substr(4, size);
    CHECK(sum == crc32c(message));
    frames.push_back(read_frame(protozero::pbf_reader(message.data(), message.size())));
    stream.remove_prefix(4 + size);
  }
  return frames;
}

}  // namespace vigia::storage::read
