// What a remote-read server answers: samples in one snappy block, or chunks in a stream of frames
// (prompb/remote.proto ReadResponse, ChunkedReadResponse; R-RR-1, R-RR-3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/model/labels.hpp"
#include "libs/model/sample.hpp"

namespace vigia::wire::remote_read {

inline constexpr std::string_view kSamplesContentType = "application/x-protobuf";
inline constexpr std::string_view kChunksContentType =
    "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
/// A frame is closed when it passes this. Prometheus' reader takes 50 MB, reads the first series of
/// a frame alone (tried with 3.5), and takes a series that spans frames for two: so each series has
/// a frame of its own, and only one that is larger than any real one is cut.
inline constexpr std::size_t kFrameBytes = 32U << 20U;

/// Builds a ReadResponse. Thread contract: one thread at a time.
class SamplesResponse {
 public:
  /// Starts the result of the next query, in the order of the queries.
  void begin_query();
  /// A series of the current query: samples and encoded prometheus.Histogram messages, each in time
  /// order.
  void add_series(const Labels& labels, const std::vector<Sample>& samples,
                  const std::vector<std::string_view>& histograms);
  std::size_t bytes() const { return response_.size() + result_.size(); }
  /// The whole message as a snappy block. Once.
  std::string finish();

 private:
  void end_query();

  std::string response_;
  std::string result_;
  bool has_query_ = false;
};

/// A Chunk message. Encodings are numbered as Chunk.Encoding: XOR is 1.
struct ChunkView {
  TimestampMs min_ms = 0;
  TimestampMs max_ms = 0;
  std::uint8_t encoding = 1;
  std::string_view data;
};

/// Builds the frames of a ChunkedReadResponse stream: varint length, big-endian CRC-32C, message.
/// Thread contract: one thread at a time.
class ChunksResponse {
 public:
  /// A series of the `query_index`-th query. Series of a query come sorted by their labels, chunks
  /// in time order.
  void add_series(std::uint64_t query_index, const Labels& labels,
                  const std::vector<ChunkView>& chunks);
  std::size_t bytes() const { return stream_.size(); }
  /// Takes the frames so far.
  std::string take() { return std::exchange(stream_, {}); }

 private:
  void close_frame(std::uint64_t query_index);

  std::string stream_;
  std::string frame_;
};

}  // namespace vigia::wire::remote_read
