// Rows of chunks as a store gives them, and those behind a damaged one as well.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "services/storage/store/chunks.hpp"

namespace vigia::storage::keep {

/// A store gives nothing behind a row that it cannot make out, of that series: here the rows whose
/// times can be read are asked for one by one, at a time at which the damaged one has none. Thread
/// contract: one thread.
class SoundRows {
 public:
  /// All must outlive it.
  SoundRows(store::ChunkStore& chunks, const CustomerId& customer,
            std::span<const store::SeriesKey> series, const store::ChunkQuery& query);

  /// As ChunkCursor's; kCorrupt once for each series that has such a row, and then what else there
  /// is of it.
  Result<std::vector<store::ChunkRow>> next();
  std::size_t at() const { return at_; }

 private:
  using Key = std::tuple<TimestampMs, std::uint64_t, store::Encoding>;
  static Key key_of(const store::ChunkRow& row);
  Result<void> save_rest();
  Result<std::set<TimestampMs>> times_with_other_rows();
  Result<void> save_at(TimestampMs time_ms);

  store::ChunkStore& chunks_;
  const CustomerId& customer_;
  const std::span<const store::SeriesKey> series_;
  const store::ChunkQuery query_;
  std::unique_ptr<store::ChunkCursor> cursor_;
  std::size_t at_ = 0;
  std::set<Key> given_;  // of the series
  std::vector<store::ChunkRow> saved_;
};

}  // namespace vigia::storage::keep
