#include "services/storage/read/series_reader.hpp"

#include <algorithm>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/read/overlap_merge.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::read {
namespace {

// Late samples that are still in the head came after all rows.
constexpr std::uint64_t kHeadVersion = UINT64_MAX;
constexpr std::size_t kHistogramsApart = 4;

// The first two bytes of a chunk (docs/formats/chunk.md).
std::size_t sample_count(std::string_view chunk) {
  if (chunk.size() < 2) return 0;
  return static_cast<std::size_t>(static_cast<std::uint8_t>(chunk[0])) << 8U |
         static_cast<std::uint8_t>(chunk[1]);
}

bool overlaps(const store::ChunkRow& row, TimestampMs from_ms, TimestampMs to_ms) {
  return row.first_ms <= to_ms && row.last_ms >= from_ms;
}

std::vector<ChunkPiece> to_pieces(std::vector<store::ChunkRow> rows) {
  std::vector<ChunkPiece> pieces;
  pieces.reserve(rows.size());
  for (store::ChunkRow& row : rows)
    pieces.push_back({row.first_ms, row.last_ms, std::move(row.data)});
  return pieces;
}

void add_head_rows(store::SeriesId series, const heads::HeadView& head,
                   std::vector<store::ChunkRow>& rows) {
  if (!head.chunk.empty()) {
    rows.push_back({series, head.chunk_first_ms, head.chunk_last_ms, store::kInOrder,
                    store::Encoding::kFloats, head.chunk});
  }
  for (auto& row : heads::pack_rows(series, head.late, kHeadVersion))
    rows.push_back(std::move(row));
  for (auto& row : heads::pack_rows(series, head.histograms, kHeadVersion))
    rows.push_back(std::move(row));
}

}  // namespace

Result<bool> SeriesReader::has_samples(store::CustomerNumber customer, store::SeriesId series,
                                       TimestampMs from_ms, TimestampMs to_ms) const {
  std::vector<store::ChunkRow> open;
  add_head_rows(series, heads_.read(series), open);
  const auto is_wanted = [&](const store::ChunkRow& row) { return overlaps(row, from_ms, to_ms); };
  if (std::any_of(open.begin(), open.end(), is_wanted)) return true;
  bool is_found = false;
  const auto walked = chunks_.visit(customer, series, from_ms, to_ms,
                                    [&](const store::ChunkRow& row) -> Result<bool> {
                                      is_found = is_wanted(row);
                                      return !is_found;
                                    });
  if (!walked) return forward(walked);
  return is_found;
}

Result<SeriesData> SeriesReader::read(store::CustomerNumber customer, store::SeriesId series,
                                      TimestampMs from_ms, TimestampMs to_ms,
                                      lanes::AnswerMemory& memory) const {
  std::vector<store::ChunkRow> floats;
  std::vector<store::ChunkRow> others;
  const auto add = [&](store::ChunkRow row) -> Result<bool> {
    if (!overlaps(row, from_ms, to_ms)) return true;
    const bool is_floats = row.encoding == store::Encoding::kFloats;
    const std::size_t bytes = 2 * sizeof(row) + row.data.size();
    // Histograms are taken apart and merged.
    if (auto fits = memory.add(is_floats ? bytes : kHistogramsApart * bytes); !fits) {
      return forward(fits);
    }
    (is_floats ? floats : others).push_back(std::move(row));
    return true;
  };
  const heads::HeadView head = heads_.read(series);  // before the store: see HeadSet::read
  if (auto walked = chunks_.visit(customer, series, from_ms, to_ms, add); !walked) {
    return forward(walked);
  }
  std::vector<store::ChunkRow> open;
  add_head_rows(series, head, open);
  for (store::ChunkRow& row : open) {
    if (auto added = add(std::move(row)); !added) return forward(added);
  }
  std::stable_sort(floats.begin(), floats.end(),
                   [](const store::ChunkRow& left, const store::ChunkRow& right) {
                     return left.first_ms < right.first_ms;
                   });
  auto merged = read::merge_overlapping(std::move(floats), memory);
  if (!merged) return forward(merged);
  std::erase_if(*merged,
                [&](const store::ChunkRow& row) { return !overlaps(row, from_ms, to_ms); });
  auto histograms = store::merge_rows(others);
  if (!histograms) return forward(histograms);
  std::erase_if(histograms->histograms, [&](const chunk::HistogramSample& sample) {
    return sample.timestamp_ms < from_ms || sample.timestamp_ms > to_ms;
  });
  return SeriesData{to_pieces(std::move(*merged)), std::move(histograms->histograms)};
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

}  // namespace vigia::storage::read
