#include "libs/wire/remote_read/read_frames.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"
#include "libs/wire/remote_read/checked_reader.hpp"

namespace vigia::wire::remote_read {
namespace {

constexpr std::size_t kSumBytes = 4;
constexpr std::size_t kLengthBytesMax = 10;  // as Go's binary.ReadUvarint takes
constexpr std::int32_t kEncodingMax = 255;

enum ReadFrameField : protozero::pbf_tag_type { kSeries = 1, kQueryIndex = 2 };
enum ReadSeriesField : protozero::pbf_tag_type { kLabels = 1, kChunks = 2 };
enum ReadLabelField : protozero::pbf_tag_type { kName = 1, kValue = 2 };
enum ReadChunkField : protozero::pbf_tag_type { kMin = 1, kMax = 2, kType = 3, kData = 4 };

struct TooMuch {
  std::string_view what;
};

// The bytes of the number and the number; nothing where it does not end within `bytes`.
std::optional<std::pair<std::size_t, std::uint64_t>> read_length(std::string_view bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < bytes.size() && i < kLengthBytesMax; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    const std::uint64_t low = byte & 0x7fU;
    if (i + 1 == kLengthBytesMax && low > 1) return std::nullopt;
    length |= low << (7 * i);
    if (byte < 0x80U) return std::pair(i + 1, length);
  }
  return std::nullopt;
}

std::uint32_t read_sum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kSumBytes; ++i) {
    sum = (sum << 8U) | static_cast<std::uint8_t>(bytes[i]);  // big-endian
  }
  return sum;
}

Label read_label(CheckedReader message) {
  Label label;
  while (message.next()) {
    if (message.tag() == kName) {
      label.name = message.get_view();
    } else if (message.tag() == kValue) {
      label.value = message.get_view();
    } else {
      message.skip();
    }
  }
  return label;
}

ChunkView read_chunk(CheckedReader message) {
  ChunkView chunk;
  chunk.encoding = 0;  // UNKNOWN, where the field is not there
  while (message.next()) {
    switch (message.tag()) {
      case kMin:
        chunk.min_ms = message.get_int64();
        break;
      case kMax:
        chunk.max_ms = message.get_int64();
        break;
      case kType: {
        const std::int32_t encoding = message.get_enum();
        if (encoding < 0 || encoding > kEncodingMax) throw protozero::exception();
        chunk.encoding = static_cast<std::uint8_t>(encoding);
        break;
      }
      case kData:
        chunk.data = message.get_view();
        break;
      default:
        message.skip();
    }
  }
  return chunk;
}

// Of one frame: what it becomes is bounded while it is read.
class MessageReader {
 public:
  explicit MessageReader(const FrameLimits& limits) : limits_(limits) {}

  ReadFrame read(CheckedReader message) {
    ReadFrame frame;
    while (message.next()) {
      if (message.tag() == kSeries) {
        if (frame.series.size() == limits_.series_max) throw TooMuch{"series"};
        frame.series.push_back(read_series(message.get_message()));
      } else if (message.tag() == kQueryIndex) {
        frame.query_index = message.get_uint64();
      } else {
        message.skip();
      }
    }
    return frame;
  }

 private:
  ChunkedSeries read_series(CheckedReader message) {
    ChunkedSeries series;
    std::vector<Label> labels;
    std::size_t label_bytes = 0;
    while (message.next()) {
      if (message.tag() == kLabels) {
        if (labels.size() == limits_.labels_max) throw TooMuch{"labels"};
        const std::string_view bytes = message.get_view();
        label_bytes += bytes.size();
        if (label_bytes > limits_.label_bytes_max) throw TooMuch{"bytes of labels"};
        labels.push_back(read_label(CheckedReader(bytes)));
      } else if (message.tag() == kChunks) {
        if (++chunks_ > limits_.chunks_max) throw TooMuch{"chunks"};
        series.chunks.push_back(read_chunk(message.get_message()));
      } else {
        message.skip();
      }
    }
    series.labels = Labels::from(std::move(labels));
    return series;
  }

  const FrameLimits& limits_;
  std::size_t chunks_ = 0;
};

}  // namespace

Result<std::string_view> FrameReader::next_message() {
  const auto length = read_length(rest_);
  if (!length.has_value()) return fail(ErrorCode::kCorrupt, "a frame without a length");
  const auto [length_bytes, bytes] = *length;
  if (bytes > limits_.frame_bytes_max) {
    return fail(ErrorCode::kTooLarge, fmt::format("a frame of {} bytes; the limit is {}", bytes,
                                                  limits_.frame_bytes_max));
  }
  const std::string_view after = rest_.substr(length_bytes);
  if (after.size() < kSumBytes + bytes) {
    return fail(ErrorCode::kCorrupt, fmt::format("the stream ends within a frame of {} bytes: {} "
                                                 "are there",
                                                 bytes, after.size()));
  }
  const std::string_view message = after.substr(kSumBytes, bytes);
  if (crc32c(message) != read_sum(after)) {
    return fail(ErrorCode::kCorrupt, "a frame whose CRC-32C is not that of its bytes");
  }
  rest_ = after.substr(kSumBytes + bytes);
  return message;
}

Result<ReadFrame> FrameReader::next() {
  const auto message = next_message();
  if (!message) {
    rest_ = {};
    return forward(message);
  }
  try {
    return MessageReader(limits_).read(CheckedReader(*message));
  } catch (const protozero::exception& damage) {
    rest_ = {};
    return fail(ErrorCode::kCorrupt, fmt::format("a frame that is no message ({})", damage.what()));
  } catch (const TooMuch& too_much) {
    rest_ = {};
    return fail(ErrorCode::kTooLarge, fmt::format("a frame with too many {}", too_much.what));
  }
}

}  // namespace vigia::wire::remote_read
