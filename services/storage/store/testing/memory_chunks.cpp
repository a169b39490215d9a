// MemoryColdStore: its chunks.
#include <algorithm>
#include <utility>

#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {
namespace {

// All rows are known from the start: only their pages come one after the other.
class Pages final : public ChunkCursor {
 public:
  /// A list for each series of the question.
  Pages(std::vector<std::vector<ChunkRow>> rows, std::size_t page_bytes)
      : rows_(std::move(rows)), page_bytes_(page_bytes) {}
  Result<std::vector<ChunkRow>> next() override {
    std::vector<ChunkRow> page;
    while (at_ < rows_.size() && row_ == rows_[at_].size()) {
      if (++at_ == rows_.size()) return page;
      row_ = 0;
    }
    for (std::size_t bytes = 0; at_ < rows_.size() && bytes < page_bytes_; ++row_) {
      if (row_ == rows_[at_].size()) break;
      bytes += sizeof(ChunkRow) + rows_[at_][row_].data.size();
      page.push_back(rows_[at_][row_]);
    }
    return page;
  }
  std::size_t at() const override { return at_; }

 private:
  std::vector<std::vector<ChunkRow>> rows_;
  std::size_t page_bytes_;
  std::size_t at_ = 0;
  std::size_t row_ = 0;
};

}  // namespace

void MemoryColdStore::MemoryChunks::put(const CustomerId& customer,
                                        std::span<const ClosedChunk> chunks, Done done) {
  for (const ClosedChunk& chunk : chunks) {
    if (auto sound = check_row(chunk.row, chunk.resolution); !sound) return done(sound);
  }
  {
    const std::lock_guard lock(mutex_);
    for (const ClosedChunk& chunk : chunks) {
      const ChunkRow& row = chunk.row;
      Rows& rows = places_[{customer, chunk.metric, chunk.resolution, row.series}];
      rows[{row.first_ms, row.version, row.encoding}] = row;
      if (chunk.resolution == Resolution::kRaw) due_days_.mark_put(customer, row);
    }
  }
  done({});
}

std::vector<ChunkRow> MemoryColdStore::MemoryChunks::rows_of(const Place& place,
                                                             const ChunkQuery& query) const {
  std::vector<ChunkRow> rows;
  const auto at = places_.find(place);
  if (at == places_.end()) return rows;
  for (const auto& [key, row] : at->second) {
    if (row.first_ms <= query.to_ms && row.last_ms >= query.from_ms) rows.push_back(row);
  }
  return rows;
}

std::unique_ptr<ChunkCursor> MemoryColdStore::MemoryChunks::read(const CustomerId& customer,
                                                                 std::span<const SeriesKey> series,
                                                                 const ChunkQuery& query) {
  std::vector<std::vector<ChunkRow>> all;
  const std::lock_guard lock(mutex_);
  for (const SeriesKey& key : series) {
    all.push_back(rows_of({customer, key.metric, query.resolution, key.id}, query));
  }
  return std::make_unique<Pages>(std::move(all), query.page_bytes);
}

Result<std::optional<TimestampMs>> MemoryColdStore::MemoryChunks::newest(const CustomerId& customer,
                                                                         const SeriesKey& series,
                                                                         TimestampMs from_ms) {
  const std::lock_guard lock(mutex_);
  std::optional<TimestampMs> newest;
  const auto place = places_.find({customer, series.metric, Resolution::kRaw, series.id});
  if (place == places_.end()) return newest;
  for (const auto& [key, row] : place->second) {
    if (row.version != kInOrder || row.last_ms < from_ms) continue;
    newest = std::max(newest.value_or(row.last_ms), row.last_ms);
  }
  return newest;
}

Result<std::size_t> MemoryColdStore::MemoryChunks::expire(Resolution resolution,
                                                          const ExpiryCuts& cuts) {
  const std::lock_guard lock(mutex_);
  std::set<std::uint32_t> days;
  for (auto& [place, rows] : places_) {
    if (std::get<Resolution>(place) != resolution) continue;
    const TimestampMs before_ms = cuts.of(std::get<CustomerId>(place));
    std::erase_if(rows, [&](const auto& entry) {
      const std::uint32_t day = day_of(entry.second.first_ms);
      // The last row of a day may reach into the next ones.
      const bool is_over =
          (TimestampMs{day} + 1) * kDayMs + row_span_max_ms(resolution) <= before_ms;
      if (is_over) days.insert(day);
      return is_over;
    });
  }
  return days.size();
}

void MemoryColdStore::MemoryChunks::MemoryDueDays::set_marking(bool is_marking) {
  const std::lock_guard lock(chunks_.mutex_);
  is_marking_ = is_marking;
}

// What is found stands behind what was put. A lost day is due again, as one that had samples.
void MemoryColdStore::MemoryChunks::MemoryDueDays::mark(const CustomerId& customer,
                                                        const ChunkRow& row, DueKind kind) {
  const std::uint64_t last = window_day_of(row.last_ms);  // of 32 bits the loop might not end
  for (std::uint64_t day = window_day_of(row.first_ms); day <= last; ++day) {
    const DuePlace place{row.series, static_cast<std::uint32_t>(day)};
    auto& marks = marks_[customer];
    const auto known = marks.find(place);
    const bool is_known = kind == DueKind::kFound && known != marks.end();
    if (is_known && known->second.kind != DueKind::kLost) continue;
    marks[place] = {++next_stamp_, is_known ? DueKind::kPut : kind};
    auto& first = first_marked_.try_emplace(customer, 0).first->second;
    first = std::min(first, place.day);
  }
}

Result<std::vector<DueDay>> MemoryColdStore::MemoryChunks::MemoryDueDays::due(
    const CustomerId& customer, const DuePlace& from, std::size_t max) {
  const std::lock_guard lock(chunks_.mutex_);
  std::vector<DueDay> days;
  const auto& marks = marks_[customer];
  for (auto at = marks.lower_bound(from); at != marks.end() && days.size() < max; ++at) {
    days.push_back({at->first, at->second.stamp, at->second.kind});
  }
  return days;
}

Result<void> MemoryColdStore::MemoryChunks::MemoryDueDays::done(const CustomerId& customer,
                                                                std::span<const DueDay> days) {
  const std::lock_guard lock(chunks_.mutex_);
  auto& marks = marks_[customer];
  for (const DueDay& day : days) {
    const auto at = marks.find(day.place);
    if (at != marks.end() && at->second.stamp == day.stamp) marks.erase(at);
  }
  return {};
}

Result<void> MemoryColdStore::MemoryChunks::MemoryDueDays::set_lost(const CustomerId& customer,
                                                                    std::span<const DueDay> days) {
  const std::lock_guard lock(chunks_.mutex_);
  auto& marks = marks_[customer];
  for (const DueDay& day : days) {
    const auto at = marks.find(day.place);
    if (at == marks.end() || at->second.stamp != day.stamp) continue;
    at->second = {++next_stamp_, DueKind::kLost};
  }
  return {};
}

Result<std::size_t> MemoryColdStore::MemoryChunks::MemoryDueDays::forget_before(std::uint32_t day) {
  const std::lock_guard lock(chunks_.mutex_);
  std::size_t count = 0;
  for (auto& [customer, marks] : marks_) {
    count += std::erase_if(marks, [day](const auto& mark) { return mark.first.day < day; });
  }
  return count;
}

std::uint32_t MemoryColdStore::MemoryChunks::MemoryDueDays::take_first_marked(
    const CustomerId& customer) {
  const std::lock_guard lock(chunks_.mutex_);
  return std::exchange(first_marked_.try_emplace(customer, 0).first->second, UINT32_MAX);
}

Result<std::string> MemoryColdStore::MemoryChunks::MemoryDueDays::mark_stored(
    const std::string& /*place*/) {
  const std::lock_guard lock(chunks_.mutex_);
  for (const auto& [place, rows] : chunks_.places_) {
    if (std::get<Resolution>(place) != Resolution::kRaw) continue;
    for (const auto& [key, row] : rows) mark(std::get<CustomerId>(place), row, DueKind::kFound);
  }
  return std::string();
}

Result<std::string> MemoryColdStore::MemoryChunks::MemoryDueDays::note() {
  const std::lock_guard lock(chunks_.mutex_);
  return note_;
}

Result<void> MemoryColdStore::MemoryChunks::MemoryDueDays::set_note(const std::string& note) {
  const std::lock_guard lock(chunks_.mutex_);
  note_ = note;
  return {};
}

}  // namespace vigia::storage::store
