#include "services/storage/histograms/histogram_chunk.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/histograms/histogram_writer.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {
namespace {

constexpr std::size_t kSamplesMax = 120;

// Chunks follow each other in time and none overlaps another, so the one of the other kind is
// closed before a sample is added.
class Chunks {
 public:
  explicit Chunks(std::vector<WireChunk>& chunks) : chunks_(chunks) {}
  void add(const Sample& sample) {
    close_histograms();
    histograms_.forget();
    if (floats_.samples() >= kSamplesMax) close_floats();
    floats_.append(sample);
  }
  void add(TimestampMs time_ms, const NativeHistogram& histogram) {
    close_floats();
    if (histograms_.samples() > 0 && histograms_.is_float() != histogram.is_float) {
      close_histograms();
      histograms_.forget();
    }
    if (histograms_.samples() >= kSamplesMax) close_histograms();
    if (histograms_.append(time_ms, histogram)) return;
    close_histograms();
    CHECK(histograms_.append(time_ms, histogram));
  }
  void close() {
    close_floats();
    close_histograms();
  }

 private:
  void close_floats() {
    if (floats_.samples() == 0) return;
    chunks_.push_back(
        {floats_.first_ms(), floats_.last_ms(), WireEncoding::kXor, std::string(floats_.bytes())});
    floats_.reset();
  }
  void close_histograms() {
    if (histograms_.samples() == 0) return;
    WireChunk chunk{
        histograms_.first_ms(),
        histograms_.last_ms(),
        histograms_.is_float() ? WireEncoding::kFloatHistogram : WireEncoding::kHistogram,
        {}};
    chunk.data = histograms_.take();
    chunks_.push_back(std::move(chunk));
  }

  std::vector<WireChunk>& chunks_;
  chunk::ChunkWriter floats_;
  HistogramWriter histograms_;
};

}  // namespace

std::vector<WireChunk> wire_chunks(const std::vector<Sample>& floats,
                                   const std::vector<chunk::HistogramSample>& histograms,
                                   std::uint64_t& damaged) {
  std::vector<WireChunk> chunks;
  Chunks run(chunks);
  auto next = floats.begin();
  for (const auto& histogram : histograms) {
    bool is_float = false;
    // Of both at one time the float stays.
    for (; next != floats.end() && next->timestamp_ms <= histogram.timestamp_ms; ++next) {
      is_float = next->timestamp_ms == histogram.timestamp_ms;
      run.add(*next);
    }
    if (is_float) continue;
    const auto sound = sound_histogram(histogram.encoded);
    if (!sound) {
      ++damaged;
      continue;
    }
    run.add(histogram.timestamp_ms, *sound);
  }
  for (; next != floats.end(); ++next) run.add(*next);
  run.close();
  return chunks;
}

}  // namespace vigia::storage::histograms
