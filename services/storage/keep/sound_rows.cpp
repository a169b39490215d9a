#include "services/storage/keep/sound_rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vigia::storage::keep {

SoundRows::SoundRows(store::ChunkStore& chunks, const CustomerId& customer,
                     std::span<const store::SeriesKey> series, const store::ChunkQuery& query)
    : chunks_(chunks),
      customer_(customer),
      series_(series),
      query_(query),
      cursor_(chunks.read(customer, series, query)) {}

SoundRows::Key SoundRows::key_of(const store::ChunkRow& row) {
  return {row.first_ms, row.version, row.encoding};
}

Result<std::vector<store::ChunkRow>> SoundRows::next() {
  if (!saved_.empty()) return std::exchange(saved_, {});
  auto some = cursor_->next();
  const std::size_t before = std::exchange(at_, cursor_->at());
  if (before != at_) given_.clear();
  if (some) {
    for (const store::ChunkRow& row : *some) given_.insert(key_of(row));
    return some;
  }
  if (some.error().code != ErrorCode::kCorrupt) return some;
  if (auto saved = save_rest(); !saved) return forward(saved);
  return some;
}

Result<void> SoundRows::save_rest() {
  const auto times = times_with_other_rows();
  if (!times) return forward(times);
  for (const TimestampMs time_ms : *times) {
    if (auto saved = save_at(time_ms); !saved) return saved;
  }
  std::sort(saved_.begin(), saved_.end(),
            [](const auto& left, const auto& right) { return key_of(left) < key_of(right); });
  return {};
}

// Between two of them no row begins or ends.
Result<std::set<TimestampMs>> SoundRows::times_with_other_rows() {
  store::ChunkQuery query = query_;
  query.wants_data = false;
  std::set<TimestampMs> times = {query_.from_ms};
  const auto cursor = chunks_.read(customer_, series_.subspan(at_, 1), query);
  for (;;) {
    const auto rows = cursor->next();
    if (!rows && rows.error().code == ErrorCode::kCorrupt) break;  // times that cannot be read
    if (!rows) return forward(rows);
    if (rows->empty()) break;
    for (const store::ChunkRow& row : *rows) {
      times.insert(row.first_ms);
      times.insert(row.last_ms + 1);
    }
  }
  std::erase_if(times, [this](TimestampMs time_ms) {
    return time_ms < query_.from_ms || time_ms > query_.to_ms;
  });
  return times;
}

Result<void> SoundRows::save_at(TimestampMs time_ms) {
  store::ChunkQuery query = query_;
  query.from_ms = query.to_ms = time_ms;
  std::vector<store::ChunkRow> found;
  const auto cursor = chunks_.read(customer_, series_.subspan(at_, 1), query);
  for (;;) {
    auto rows = cursor->next();
    if (!rows && rows.error().code == ErrorCode::kCorrupt) break;
    if (!rows) return forward(rows);
    if (rows->empty()) break;
    std::move(rows->begin(), rows->end(), std::back_inserter(found));
  }
  for (store::ChunkRow& row : found) {
    if (given_.insert(key_of(row)).second) saved_.push_back(std::move(row));
  }
  return {};
}

}  // namespace vigia::storage::keep
