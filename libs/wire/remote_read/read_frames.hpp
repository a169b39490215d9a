// Reads what a remote-read server streams: frames of chunks (R-RR-3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"
#include "libs/wire/remote_read/read_response.hpp"

namespace vigia::wire::remote_read {

/// What a frame may say of itself and become. A server is believed in nothing.
struct FrameLimits {
  std::size_t frame_bytes_max = 4U << 20U;   ///< Prometheus ends a frame at some 1 MiB
  std::size_t series_max = 1'024;            ///< of a frame; Prometheus puts one into each
  std::size_t labels_max = 256;              ///< of a series
  std::size_t label_bytes_max = 64U << 10U;  ///< of a series, all labels together
  std::size_t chunks_max = 65'536;           ///< of a frame
};

/// A series, or a part of one, as it stands in a frame: the same labels may come again in the next.
struct ChunkedSeries {
  Labels labels;
  std::vector<ChunkView> chunks;  ///< views into the stream; encodings that are not known, too
};

struct ReadFrame {
  std::uint64_t query_index = 0;
  std::vector<ChunkedSeries> series;
};

/// Takes a stream apart, frame by frame, from front to back. Any bytes may be given. Thread
/// contract: one thread; `stream` must outlive the reader and what it gave.
class FrameReader {
 public:
  explicit FrameReader(std::string_view stream, FrameLimits limits = {})
      : rest_(stream), limits_(limits) {}

  /// REQUIRES: has_next. kTooLarge by the length that a frame declares, before anything else is
  /// done with it, and past the other limits; kCorrupt where the stream ends within the frame, its
  /// CRC-32C is another, or it is no such message, as where a server that fails on the way writes
  /// its words behind the frames. Nothing comes after an error.
  Result<ReadFrame> next();
  bool has_next() const { return !rest_.empty(); }

 private:
  Result<std::string_view> next_message();

  std::string_view rest_;
  const FrameLimits limits_;
};

}  // namespace vigia::wire::remote_read
