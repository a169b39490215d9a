// Samples of a series that has native histograms, as the chunks that Prometheus' remote read takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/chunk/histogram_record.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::histograms {

/// Numbered as Chunk.Encoding on the wire.
enum class WireEncoding : std::uint8_t { kXor = 1, kHistogram = 2, kFloatHistogram = 3 };

struct WireChunk {
  TimestampMs first_ms = 0;
  TimestampMs last_ms = 0;
  WireEncoding encoding = WireEncoding::kXor;
  std::string data;
};

/// Floats and histograms by time, in chunks of at most 120 of which none overlaps another; of two
/// at one time the float stays, as the samples of a series may have one. Histograms of one kind
/// share a chunk as they do in Prometheus (HistogramWriter). What is no histogram (an earlier
/// version did not look) is left out and counted in `damaged`. `floats` and `histograms` are in
/// order.
std::vector<WireChunk> wire_chunks(const std::vector<Sample>& floats,
                                   const std::vector<chunk::HistogramSample>& histograms,
                                   std::uint64_t& damaged);

}  // namespace vigia::storage::histograms
