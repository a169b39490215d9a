#include "services/storage/read/series_reader.hpp"

#include <algorithm>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/chunks/row_merge.hpp"

namespace vigia::storage {
namespace {

// Late samples that are still in the head came after all rows.
constexpr std::uint64_t kHeadVersion = UINT64_MAX;

// Late samples are merged in memory: 128 MiB and as much again. Two years of samples 15 s apart are
// 4.2 million.
constexpr std::size_t kMergedSamplesMax = 8U << 20U;

// The first two bytes of a chunk (docs/formats/chunk.md).
std::size_t sample_count(std::string_view chunk) {
  if (chunk.size() < 2) return 0;
  return static_cast<std::size_t>(static_cast<std::uint8_t>(chunk[0])) << 8U |
         static_cast<std::uint8_t>(chunk[1]);
}

bool overlaps(const ChunkRow& row, TimestampMs from_ms, TimestampMs to_ms) {
  return row.first_ms <= to_ms && row.last_ms >= from_ms;
}

bool any_overlap(const std::vector<ChunkRow>& rows) {
  return std::adjacent_find(rows.begin(), rows.end(),
                            [](const ChunkRow& left, const ChunkRow& right) {
                              return right.first_ms <= left.last_ms;
                            }) != rows.end();
}

std::vector<ChunkPiece> to_pieces(std::vector<ChunkRow> rows) {
  std::vector<ChunkPiece> pieces;
  pieces.reserve(rows.size());
  for (ChunkRow& row : rows) pieces.push_back({row.first_ms, row.last_ms, std::move(row.data)});
  return pieces;
}

void add_head_rows(SeriesId series, const HeadView& head, std::vector<ChunkRow>& rows) {
  if (!head.chunk.empty()) {
    rows.push_back(
        {series, head.chunk_first_ms, head.chunk_last_ms, kInOrder, Encoding::kFloats, head.chunk});
  }
  for (auto& row : pack_rows(series, head.late, kHeadVersion)) rows.push_back(std::move(row));
  for (auto& row : pack_rows(series, head.histograms, kHeadVersion)) rows.push_back(std::move(row));
}

}  // namespace

Result<std::vector<ChunkRow>> SeriesReader::rows(CustomerNumber customer, SeriesId series,
                                                 TimestampMs from_ms, TimestampMs to_ms) const {
  const HeadView head = heads_.read(series);  // before the store: see HeadSet::read
  auto rows = chunks_.read(customer, series, from_ms, to_ms);
  if (!rows) return rows;
  add_head_rows(series, head, *rows);
  std::erase_if(*rows, [&](const ChunkRow& row) { return !overlaps(row, from_ms, to_ms); });
  return rows;
}

Result<bool> SeriesReader::has_samples(CustomerNumber customer, SeriesId series,
                                       TimestampMs from_ms, TimestampMs to_ms) const {
  const auto found = rows(customer, series, from_ms, to_ms);
  if (!found) return tl::unexpected<Error>(found.error());
  return !found->empty();
}

Result<SeriesData> SeriesReader::read(CustomerNumber customer, SeriesId series, TimestampMs from_ms,
                                      TimestampMs to_ms) const {
  auto found = rows(customer, series, from_ms, to_ms);
  if (!found) return forward(found);
  SeriesData data;
  const auto floats_end =
      std::stable_partition(found->begin(), found->end(),
                            [](const ChunkRow& row) { return row.encoding == Encoding::kFloats; });
  const std::vector<ChunkRow> others(std::make_move_iterator(floats_end),
                                     std::make_move_iterator(found->end()));
  found->erase(floats_end, found->end());
  std::stable_sort(found->begin(), found->end(), [](const ChunkRow& left, const ChunkRow& right) {
    return left.first_ms < right.first_ms;
  });
  if (any_overlap(*found)) {
    std::size_t samples = 0;
    for (const ChunkRow& row : *found) samples += sample_count(row.data);
    if (samples > kMergedSamplesMax) {
      return fail(ErrorCode::kOverLimit,
                  "a series holds too many late samples in this range; ask for less time");
    }
    auto merged = merge_rows(*found);
    if (!merged) return forward(merged);
    *found = pack_rows(series, merged->samples, kInOrder);
    std::erase_if(*found, [&](const ChunkRow& row) { return !overlaps(row, from_ms, to_ms); });
  }
  data.chunks = to_pieces(std::move(*found));
  auto histograms = merge_rows(others);
  if (!histograms) return forward(histograms);
  std::erase_if(histograms->histograms, [&](const HistogramSample& sample) {
    return sample.timestamp_ms < from_ms || sample.timestamp_ms > to_ms;
  });
  data.histograms = std::move(histograms->histograms);
  return data;
}

std::size_t sample_count(const std::vector<ChunkPiece>& chunks) {
  std::size_t samples = 0;
  for (const ChunkPiece& piece : chunks) samples += sample_count(piece.data);
  return samples;
}

Result<std::vector<Sample>> samples_of(const std::vector<ChunkPiece>& chunks, TimestampMs from_ms,
                                       TimestampMs to_ms) {
  std::vector<Sample> samples;
  for (const ChunkPiece& piece : chunks) {
    chunk::ChunkReader reader(piece.data);
    for (Sample sample; reader.next(sample);) {
      if (sample.timestamp_ms > to_ms) break;
      if (sample.timestamp_ms >= from_ms) samples.push_back(sample);
    }
    if (reader.is_damaged()) return fail(ErrorCode::kCorrupt, "cold store: a damaged chunk");
  }
  return samples;
}

}  // namespace vigia::storage
