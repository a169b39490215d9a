#include "services/storage/store/row_merge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/histograms/native_histogram.hpp"
#include "services/storage/store/histogram_encoding.hpp"

namespace vigia::storage::store {
namespace {

// `samples` stand row by row, those first that stay.
template <typename T>
std::vector<T> merged(std::vector<T> samples) {
  // Stable, so that of equal times that of the first row comes first, which unique() keeps.
  std::stable_sort(samples.begin(), samples.end(), [](const T& left, const T& right) {
    return left.timestamp_ms < right.timestamp_ms;
  });
  const auto end = std::unique(samples.begin(), samples.end(), [](const T& left, const T& right) {
    return left.timestamp_ms == right.timestamp_ms;
  });
  samples.erase(end, samples.end());
  return samples;
}

struct OfRow {
  TimestampMs timestamp_ms = 0;
  std::string encoded;
  const ChunkRow* row = nullptr;
};
struct AllRows {
  std::vector<Sample> samples;
  std::vector<OfRow> histograms;
};

Result<void> add_row(AllRows& all, const ChunkRow& row) {
  if (row.encoding == Encoding::kFloats) {
    auto samples = chunk::read_samples(row.data);
    if (!samples) return forward(samples);
    all.samples.insert(all.samples.end(), samples->begin(), samples->end());
    return {};
  }
  auto histograms = histograms_of(row);
  if (!histograms) return forward(histograms);
  for (chunk::HistogramSample& one : *histograms) {
    all.histograms.push_back({one.timestamp_ms, std::move(one.encoded), &row});
  }
  return {};
}

// Within a chunk there is no reset, which its histograms say: it was true of those of the chunk.
std::vector<chunk::HistogramSample> without_their_rows(std::vector<OfRow> all) {
  std::vector<chunk::HistogramSample> histograms;
  histograms.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    OfRow& one = all[i];
    const bool is_behind_another = i > 0 && all[i - 1].row != one.row;
    if (is_behind_another && is_histogram_chunk(one.row->encoding)) {
      one.encoded = histograms::without_reset_hint(one.encoded, one.timestamp_ms);
    }
    histograms.push_back({one.timestamp_ms, std::move(one.encoded)});
  }
  return histograms;
}

}  // namespace

Result<std::vector<chunk::HistogramSample>> histograms_of(const ChunkRow& row) {
  if (row.encoding == Encoding::kHistograms) return chunk::read_histograms(row.data);
  if (is_histogram_chunk(row.encoding)) {
    return histograms::unpack_histograms(row.encoding == kFloatHistograms, row.data);
  }
  return fail(ErrorCode::kCorrupt, fmt::format("cold store: unknown chunk encoding {}",
                                               static_cast<unsigned>(row.encoding)));
}

std::size_t erase_unreadable(std::vector<ChunkRow>& rows) {
  return std::erase_if(rows, [](const ChunkRow& row) {
    AllRows alone;
    return !add_row(alone, row).has_value();
  });
}

Result<MergedRows> merge_rows(const std::vector<ChunkRow>& rows, Resolution resolution) {
  const bool is_lowest_first = staying_of(resolution) == Staying::kLowestVersion;
  std::vector<const ChunkRow*> by_version;
  for (const ChunkRow& row : rows) by_version.push_back(&row);
  std::stable_sort(by_version.begin(), by_version.end(),
                   [is_lowest_first](const ChunkRow* left, const ChunkRow* right) {
                     return is_lowest_first ? left->version < right->version
                                            : left->version > right->version;
                   });
  AllRows all;
  for (const ChunkRow* row : by_version) {
    if (auto added = add_row(all, *row); !added) return forward(added);
  }
  return MergedRows{merged(std::move(all.samples)),
                    without_their_rows(merged(std::move(all.histograms)))};
}

}  // namespace vigia::storage::store
