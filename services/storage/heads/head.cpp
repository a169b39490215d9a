#include "services/storage/heads/head.hpp"

#include <algorithm>

#include "libs/chunk/chunk_writer.hpp"

namespace vigia::storage::heads {
namespace {

constexpr TimestampMs kSpreadMs = 30 * 60'000;
constexpr std::size_t kChunkSamplesMin = 208;
constexpr std::uint64_t kChunkSamplesSpread = 64;
constexpr std::size_t kHistogramsPerRow = 60;

// Numbers are given out one after the other; multiplied and shifted they spread evenly.
std::uint64_t spread(store::SeriesId series) {
  return (series.value * 0x9e3779b97f4a7c15ULL) >> 32U;
}

TimestampMs offset_ms(store::SeriesId series) {
  return static_cast<TimestampMs>(spread(series) % static_cast<std::uint64_t>(kSpreadMs));
}

template <typename T>
auto find_time_in(const std::vector<T>& samples, TimestampMs time_ms) {
  return std::lower_bound(
      samples.begin(), samples.end(), time_ms,
      [](const T& sample, TimestampMs wanted) { return sample.timestamp_ms < wanted; });
}

}  // namespace

std::size_t encoded_bytes(const HistogramSample& sample) {
  constexpr std::size_t kAllocation = 32;  // about; the size, as what a move leaves is not sure
  return sample.encoded.size() + kAllocation;
}

std::size_t encoded_bytes(const std::vector<HistogramSample>& samples) {
  std::size_t bytes = 0;
  for (const HistogramSample& sample : samples) bytes += encoded_bytes(sample);
  return bytes;
}

std::size_t HeadExtras::memory_bytes() const {
  const std::size_t lists =
      late.capacity() * sizeof(Sample) +
      (histograms.capacity() + late_histograms.capacity()) * sizeof(HistogramSample);
  return sizeof(HeadExtras) + lists + encoded_bytes + (run == nullptr ? 0 : run->memory_bytes());
}

std::size_t Head::memory_bytes() const {
  // Of the node, its number and its bucket, and what its blocks cost the pool beside themselves.
  constexpr std::size_t kPlace = 48;
  const std::size_t own = sizeof(Head) + kPlace + chunk.memory_bytes();
  return extras == nullptr ? own : own + extras->memory_bytes();
}

Epoch Head::oldest() const {
  if (extras == nullptr) return oldest_in_chunk;
  return older(oldest_in_chunk, older(extras->oldest_histogram, extras->oldest_late));
}

// Time stamps are not negative: those before 1970 are refused at the door.
// Each series' windows end at another moment: all at once would write every open chunk of the store
// in one minute.
std::int64_t window_of(store::SeriesId series, TimestampMs time_ms) {
  return (time_ms - kSpreadMs + offset_ms(series) + store::kChunkSpanMs) / store::kChunkSpanMs;
}

TimestampMs window_end_ms(store::SeriesId series, std::int64_t window) {
  return window * store::kChunkSpanMs + kSpreadMs - offset_ms(series);
}

// Spread for the same reason: series that began together would fill up together.
std::size_t chunk_samples_max(store::SeriesId series) {
  return kChunkSamplesMin + static_cast<std::size_t>((spread(series) >> 8U) % kChunkSamplesSpread);
}

std::vector<Sample>::const_iterator find_time(const std::vector<Sample>& samples,
                                              TimestampMs time_ms) {
  return find_time_in(samples, time_ms);
}
std::vector<HistogramSample>::const_iterator find_time(const std::vector<HistogramSample>& samples,
                                                       TimestampMs time_ms) {
  return find_time_in(samples, time_ms);
}

std::vector<store::ChunkRow> pack_rows(store::SeriesId series, const std::vector<Sample>& samples,
                                       std::uint64_t version, Resolution resolution) {
  const TimestampMs span_max_ms = store::row_span_max_ms(resolution);
  std::vector<store::ChunkRow> rows;
  chunk::ChunkWriter writer;
  const auto close = [&] {
    rows.push_back({series, writer.first_ms(), writer.last_ms(), version, store::Encoding::kFloats,
                    std::string(writer.bytes())});
    writer.reset();
  };
  for (const Sample& sample : samples) {
    if (writer.samples() > 0 && (writer.samples() >= kChunkSamplesMin ||
                                 sample.timestamp_ms - writer.first_ms() > span_max_ms)) {
      close();
    }
    writer.append(sample);
  }
  if (writer.samples() > 0) close();
  return rows;
}

std::vector<store::ChunkRow> pack_rows(store::SeriesId series,
                                       const std::vector<HistogramSample>& samples,
                                       std::uint64_t version) {
  std::vector<store::ChunkRow> rows;
  std::vector<HistogramSample> packed;
  const auto close = [&] {
    rows.push_back({series, packed.front().timestamp_ms, packed.back().timestamp_ms, version,
                    store::Encoding::kHistograms, chunk::write_histograms(packed)});
    packed.clear();
  };
  for (const HistogramSample& sample : samples) {
    if (!packed.empty() &&
        (packed.size() >= kHistogramsPerRow ||
         sample.timestamp_ms - packed.front().timestamp_ms > store::kChunkSpanMs)) {
      close();
    }
    packed.push_back(sample);
  }
  if (!packed.empty()) close();
  return rows;
}

}  // namespace vigia::storage::heads
