#include "services/storage/heads/histogram_rows.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "services/storage/heads/head.hpp"
#include "services/storage/histograms/histogram_writer.hpp"
#include "services/storage/histograms/native_histogram.hpp"
#include "services/storage/store/histogram_encoding.hpp"

namespace vigia::storage::heads {
namespace {

constexpr std::size_t kSamplesMax = 120;  // as Prometheus' own

class ClosedHistograms {
 public:
  ClosedHistograms(store::SeriesId series, std::uint64_t version)
      : series_(series), version_(version) {}

  void add(TimestampMs time_ms, const histograms::NativeHistogram& histogram) {
    const bool is_other = writer_.samples() > 0 && writer_.is_float() != histogram.is_float;
    if (is_other) {
      close();
      writer_.forget();
    }
    const bool is_full =
        writer_.samples() > 0 &&
        (writer_.samples() >= kSamplesMax || time_ms - writer_.first_ms() > store::kChunkSpanMs);
    if (is_full) close();
    if (writer_.append(time_ms, histogram)) return;
    close();
    CHECK(writer_.append(time_ms, histogram));
  }
  std::vector<store::ChunkRow> take() {
    close();
    return std::move(rows_);
  }

 private:
  void close() {
    if (writer_.samples() == 0) return;
    store::ChunkRow row{series_,
                        writer_.first_ms(),
                        writer_.last_ms(),
                        version_,
                        writer_.is_float() ? store::kFloatHistograms : store::kIntegerHistograms,
                        {}};
    row.data = writer_.take();
    rows_.push_back(std::move(row));
  }

  store::SeriesId series_;
  std::uint64_t version_;
  histograms::HistogramWriter writer_;
  std::vector<store::ChunkRow> rows_;
};

}  // namespace

std::vector<store::ChunkRow> histogram_rows(store::SeriesId series,
                                            const std::vector<chunk::HistogramSample>& samples,
                                            std::uint64_t version) {
  ClosedHistograms sound(series, version);
  std::vector<chunk::HistogramSample> others;
  for (const chunk::HistogramSample& sample : samples) {
    const auto histogram = histograms::sound_histogram(sample.encoded);
    if (histogram) {
      sound.add(sample.timestamp_ms, *histogram);
    } else {
      others.push_back(sample);
    }
  }
  std::vector<store::ChunkRow> rows = sound.take();
  for (store::ChunkRow& row : pack_rows(series, others, version)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace vigia::storage::heads
