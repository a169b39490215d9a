#include "services/storage/store/row_merge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/chunk/chunk_reader.hpp"

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

template <typename T>
void add(std::vector<T>& all, std::vector<T> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

Result<void> add_row(MergedRows& all, const ChunkRow& row) {
  if (row.encoding == Encoding::kFloats) {
    auto samples = chunk::read_samples(row.data);
    if (!samples) return forward(samples);
    add(all.samples, std::move(*samples));
    return {};
  }
  if (row.encoding == Encoding::kHistograms) {
    auto histograms = chunk::read_histograms(row.data);
    if (!histograms) return forward(histograms);
    add(all.histograms, std::move(*histograms));
    return {};
  }
  return fail(ErrorCode::kCorrupt, fmt::format("cold store: unknown chunk encoding {}",
                                               static_cast<unsigned>(row.encoding)));
}

}  // namespace

std::size_t erase_unreadable(std::vector<ChunkRow>& rows) {
  return std::erase_if(rows, [](const ChunkRow& row) {
    MergedRows alone;
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
  MergedRows all;
  for (const ChunkRow* row : by_version) {
    if (auto added = add_row(all, *row); !added) return forward(added);
  }
  all.samples = merged(std::move(all.samples));
  all.histograms = merged(std::move(all.histograms));
  return all;
}

}  // namespace vigia::storage::store
