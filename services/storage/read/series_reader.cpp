#include "services/storage/read/series_reader.hpp"

#include <algorithm>
#include <tuple>

#include "libs/base/check.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/read/head_rows.hpp"
#include "services/storage/rows/overlap_merge.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::read {
namespace {

// The first two bytes of a chunk (docs/formats/chunk.md).
std::size_t sample_count(std::string_view chunk) {
  if (chunk.size() < 2) return 0;
  return static_cast<std::size_t>(static_cast<std::uint8_t>(chunk[0])) << 8U |
         static_cast<std::uint8_t>(chunk[1]);
}

bool overlaps(const store::ChunkRow& row, const ReadRange& range) {
  return row.first_ms <= range.to_ms && row.last_ms >= range.from_ms;
}

std::size_t bytes_of(const store::ChunkRow& row) { return 2 * sizeof(row) + row.data.size(); }

std::vector<ChunkPiece> to_pieces(std::vector<store::ChunkRow> rows) {
  std::vector<ChunkPiece> pieces;
  pieces.reserve(rows.size());
  for (store::ChunkRow& row : rows)
    pieces.push_back({row.first_ms, row.last_ms, std::move(row.data)});
  return pieces;
}

// The samples of a row that are kept, in rows anew. kCorrupt where it cannot be read.
Result<std::vector<store::ChunkRow>> kept_of(const store::ChunkRow& row, const ReadRange& range,
                                             lanes::AnswerMemory& memory) {
  const lanes::ScratchMemory scratch(memory);
  if (auto fits = memory.add(sample_count(row.data) * sizeof(Sample)); !fits) return forward(fits);
  auto samples = chunk::read_samples(row.data);
  if (!samples) return forward(samples);
  std::erase_if(*samples,
                [&](const Sample& sample) { return sample.timestamp_ms < range.kept_from_ms; });
  return heads::pack_rows(row.series, *samples, row.version, range.resolution);
}

Result<store::MergedRows> merge_histograms(std::vector<store::ChunkRow> rows,
                                           const ReadRange& range, std::size_t& unreadable) {
  auto merged = store::merge_rows(rows, range.resolution);
  if (!merged) {
    unreadable += store::erase_unreadable(rows);
    merged = store::merge_rows(rows, range.resolution);
  }
  if (!merged) return merged;
  std::erase_if(merged->histograms, [&](const chunk::HistogramSample& sample) {
    return sample.timestamp_ms < range.from_ms || sample.timestamp_ms > range.to_ms;
  });
  return merged;
}

}  // namespace

Result<BatchRead> SeriesReader::batch(const CustomerId& customer,
                                      std::vector<store::SeriesKey> series, const ReadRange& range,
                                      lanes::AnswerMemory& memory) const {
  CHECK(series.size() <= BatchRead::kSeriesMax);
  const bool is_raw = range.resolution == Resolution::kRaw;
  BatchRead batch(range, memory);
  for (const store::SeriesKey& one : series) {
    if (batch.open_bytes_ > BatchRead::kOpenBytesMax) break;
    // At least one: it was asked for before its batch is made.
    if (look_ != nullptr && !look_->knows(customer, one.id)) break;
    heads::HeadView head = is_raw ? heads_.read(one.id) : heads::HeadView();
    if (auto added = batch.add_open(one.id, std::move(head)); !added) return forward(added);
    if (look_ == nullptr || !is_raw) continue;
    if (auto added = batch.add_elsewhere(look_->rows_of(one.id)); !added) return forward(added);
  }
  series.resize(batch.open_.size());
  batch.series_ = std::move(series);
  batch.cursor_ =
      chunks_.read(customer, batch.series_, {range.from_ms, range.to_ms, range.resolution});
  return batch;
}

// Copied: a series of which windows are made is read for each run of days.
const std::vector<store::ChunkRow>& SeriesReader::elsewhere(store::SeriesId series) const {
  static const std::vector<store::ChunkRow> kNone;
  const auto* rows = look_ == nullptr ? nullptr : look_->rows_of(series);
  return rows == nullptr ? kNone : *rows;
}

Result<std::vector<store::DayRange>> SeriesReader::open_days(store::SeriesId series,
                                                             lanes::AnswerMemory& memory) const {
  std::vector<store::DayRange> days;
  const auto add = [&days](TimestampMs first_ms, TimestampMs last_ms) {
    const store::DayRange more{store::window_day_of(first_ms), store::window_day_of(last_ms)};
    if (days.empty() || !days.back().contains(more)) days.push_back(more);
  };
  const heads::HeadView head = heads_.read(series);
  lanes::HeldMemory held(memory);
  if (auto fits = held.set(memory_of(head)); !fits) return forward(fits);
  for (const store::ChunkRow& row : head.closed) add(row.first_ms, row.last_ms);
  if (!head.chunk.empty()) add(head.chunk_first_ms, head.chunk_last_ms);
  for (const Sample& sample : head.late) add(sample.timestamp_ms, sample.timestamp_ms);
  for (const auto& histogram : head.histograms) {
    add(histogram.timestamp_ms, histogram.timestamp_ms);
  }
  for (const store::ChunkRow& row : elsewhere(series)) add(row.first_ms, row.last_ms);
  return days;
}

Result<bool> SeriesReader::has_histograms(const CustomerId& customer,
                                          std::span<const store::SeriesKey> series,
                                          const ReadRange& range,
                                          lanes::AnswerMemory& memory) const {
  const auto is_one = [&range](const store::ChunkRow& row) {
    return store::holds_histograms(row.encoding) && overlaps(row, range);
  };
  for (const store::SeriesKey& one : series) {
    const heads::HeadView head = heads_.read(one.id);
    lanes::HeldMemory held(memory);
    if (auto fits = held.set(memory_of(head)); !fits) return forward(fits);
    if (std::any_of(head.closed.begin(), head.closed.end(), is_one)) return true;
    for (const auto& histogram : head.histograms) {
      const TimestampMs time_ms = histogram.timestamp_ms;
      if (time_ms >= range.from_ms && time_ms <= range.to_ms) return true;
    }
    const auto& others = elsewhere(one.id);
    if (std::any_of(others.begin(), others.end(), is_one)) return true;
  }
  store::ChunkQuery query{range.from_ms, range.to_ms, Resolution::kRaw};
  query.wants_data = false;
  const auto cursor = chunks_.read(customer, series, query);
  for (;;) {
    const auto page = cursor->next();
    if (!page && page.error().code == ErrorCode::kCorrupt) continue;
    if (!page) return tl::unexpected<Error>(page.error());
    if (page->empty()) return false;
    if (std::any_of(page->begin(), page->end(), is_one)) return true;
  }
}

// The memory of next() for these rows is held from here on: what a batch has open waits for all
// series before it, and there are as many batches as reads at once.
Result<void> BatchRead::add_open(store::SeriesId series, heads::HeadView head) {
  const std::size_t before = held_.bytes();
  if (auto fits = held_.set(before + memory_of(head)); !fits) return fits;
  std::vector<store::ChunkRow>& rows = open_.emplace_back(rows_of(series, std::move(head)));
  std::erase_if(rows, [&](const store::ChunkRow& row) { return !overlaps(row, range_); });
  std::size_t memory = 0;
  for (const store::ChunkRow& row : rows) {
    memory += memory_of(row);
    open_bytes_ += bytes_of(row);
  }
  return held_.set(before + memory);
}

// Behind this instance's own, of the series that was added last.
Result<void> BatchRead::add_elsewhere(const std::vector<store::ChunkRow>* rows) {
  if (rows == nullptr) return {};
  for (const store::ChunkRow& row : *rows) {
    if (!overlaps(row, range_)) continue;
    if (auto fits = held_.set(held_.bytes() + memory_of(row)); !fits) return fits;
    open_bytes_ += bytes_of(row);
    open_.back().push_back(row);
  }
  return {};
}

// The store goes from series to series by itself: that one is over is seen by a page of another.
Result<std::vector<store::ChunkRow>> BatchRead::next_rows(std::size_t series) {
  if (!ahead_ && !is_over_) {
    auto rows = cursor_->next();
    if (rows && rows->empty()) {
      is_over_ = true;
    } else {
      ahead_.emplace(Page{cursor_->at(), std::move(rows)});
    }
  }
  if (!ahead_ || ahead_->series != series) return std::vector<store::ChunkRow>();
  auto rows = std::move(ahead_->rows);
  ahead_.reset();
  return rows;
}

Result<SeriesData> BatchRead::next(lanes::AnswerMemory& memory) {
  const std::size_t series = next_++;
  std::vector<store::ChunkRow> floats;
  std::vector<store::ChunkRow> others;
  const auto add = [&](store::ChunkRow row) {
    (row.encoding == store::Encoding::kFloats ? floats : others).push_back(std::move(row));
  };
  for (store::ChunkRow& row : open_[series]) add(std::move(row));  // held since add_open
  open_[series] = {};
  for (;;) {
    auto page = next_rows(series);
    if (!page) return tl::unexpected<Error>(page.error());
    if (page->empty()) break;
    for (store::ChunkRow& row : *page) {
      if (!overlaps(row, range_)) continue;
      if (auto fits = memory.add(memory_of(row)); !fits) return forward(fits);
      add(std::move(row));
    }
  }
  std::size_t unreadable = 0;
  auto merged = merge_floats(std::move(floats), memory, unreadable);
  if (!merged) return forward(merged);
  auto histograms = merge_histograms(std::move(others), range_, unreadable);
  if (!histograms) return forward(histograms);
  return SeriesData{to_pieces(std::move(*merged)), std::move(histograms->histograms), unreadable};
}

Result<std::vector<store::ChunkRow>> BatchRead::merge_floats(std::vector<store::ChunkRow> rows,
                                                             lanes::AnswerMemory& memory,
                                                             std::size_t& unreadable) const {
  // Two instances may have taken two values of one time: which of them stays must not depend on who
  // is asked.
  std::stable_sort(rows.begin(), rows.end(),
                   [](const store::ChunkRow& left, const store::ChunkRow& right) {
                     return std::tie(left.first_ms, left.version, left.last_ms, left.data) <
                            std::tie(right.first_ms, right.version, right.last_ms, right.data);
                   });
  auto separate = rows::merge_overlapping(std::move(rows), memory, range_.resolution);
  if (!separate) return forward(separate);
  unreadable += separate->unreadable;
  std::vector<store::ChunkRow>& merged = separate->rows;
  std::erase_if(merged, [&](const store::ChunkRow& row) { return !overlaps(row, range_); });
  // They do not overlap, so that one at most reaches over the edge of what is kept.
  if (merged.empty() || merged.front().first_ms >= range_.kept_from_ms) return std::move(merged);
  auto kept = kept_of(merged.front(), range_, memory);
  if (!kept && kept.error().code == ErrorCode::kCorrupt) {
    ++unreadable;
    kept = std::vector<store::ChunkRow>();
  }
  if (!kept) return kept;
  kept->insert(kept->end(), std::move_iterator(merged.begin() + 1),
               std::move_iterator(merged.end()));
  return kept;
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
