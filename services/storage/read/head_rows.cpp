#include "services/storage/read/head_rows.hpp"

#include <utility>

#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/store/histogram_encoding.hpp"

namespace vigia::storage::read {
namespace {

// Late samples that are still in the head came after all rows.
constexpr std::uint64_t kHeadVersion = UINT64_MAX;
constexpr std::size_t kHistogramsApart = 4;

}  // namespace

// Histograms are taken apart and merged; those of a chunk are messages then, which may be some
// times as long.
std::size_t memory_of(const store::ChunkRow& row) {
  const std::size_t bytes = 2 * sizeof(row) + row.data.size();
  if (row.encoding == store::Encoding::kFloats) return bytes;
  if (!store::is_histogram_chunk(row.encoding)) return kHistogramsApart * bytes;
  const bool is_float = row.encoding == store::kFloatHistograms;
  const histograms::HistogramReader reader(is_float, row.data);
  return bytes + 2 * reader.message_bytes_max();
}

std::size_t memory_of(const heads::HeadView& head) {
  std::size_t bytes = head.chunk.size() + 2 * sizeof(Sample) * head.late.size();
  for (const store::ChunkRow& row : head.closed) bytes += memory_of(row);
  for (const chunk::HistogramSample& sample : head.histograms) {
    bytes += kHistogramsApart * (sizeof(sample) + sample.encoded.size());
  }
  return bytes;
}

std::vector<store::ChunkRow> rows_of(store::SeriesId series, heads::HeadView head) {
  std::vector<store::ChunkRow> rows = std::move(head.closed);
  if (!head.chunk.empty()) {
    rows.push_back({series, head.chunk_first_ms, head.chunk_last_ms, store::kInOrder,
                    store::Encoding::kFloats, std::move(head.chunk)});
  }
  for (auto& row : heads::pack_rows(series, head.late, kHeadVersion))
    rows.push_back(std::move(row));
  for (auto& row : heads::pack_rows(series, head.histograms, kHeadVersion))
    rows.push_back(std::move(row));
  return rows;
}

}  // namespace vigia::storage::read
