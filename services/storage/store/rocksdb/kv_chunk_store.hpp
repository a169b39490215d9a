// Rows of chunks, raw or rolled up, in an ordered store. Format: docs/formats/cold-store.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// The rows of one series that overlap a range, one after the other: by first_ms, then version.
/// Thread contract: one thread.
class RowWalk {
 public:
  struct Range {  ///< both included
    TimestampMs from_ms = 0;
    TimestampMs to_ms = 0;
    bool wants_data = true;  ///< false: rows come without it
  };
  struct Place {
    customers::CustomerNumber customer;
    SeriesId series;
    Resolution resolution = Resolution::kRaw;
  };
  /// `store` must outlive it; `days` are those that may hold any of the rows.
  RowWalk(kv::OrderedStore& store, std::vector<std::uint32_t> days, const Place& place,
          const Range& range);
  /// Nothing at the end.
  Result<std::optional<ChunkRow>> next();

 private:
  void begin_day();
  Result<std::optional<ChunkRow>> next_of_day();

  kv::OrderedStore& store_;
  std::vector<std::uint32_t> days_;
  std::size_t day_ = 0;  // its place among them
  bool is_begun_ = false;
  Place place_;
  Range range_;
  TimestampMs earliest_ms_;
  std::string prefix_;
  std::unique_ptr<kv::Scan> scan_;  // over all days: it costs more to begin than to move on
};

/// Of one resolution. Keys begin with the day, so that expiry drops whole files; then customer,
/// series, time. Thread contract: any thread. Errors as the ordered store's.
class KvChunkStore final {
  struct Key {};  // only open makes one

 public:
  KvChunkStore(Key /*key*/, kv::OrderedStore& store, Resolution resolution);
  /// `store` must outlive it. kCorrupt where the store holds keys that are not chunk rows.
  static Result<std::unique_ptr<KvChunkStore>> open(kv::OrderedStore& store,
                                                    Resolution resolution = Resolution::kRaw);

  /// What puts the row, together with other writes; its day is noted. REQUIRES: check_row.
  kv::KeyValue row_of(customers::CustomerNumber customer, const ChunkRow& row);
  /// All of them or none. REQUIRES: check_row of each.
  Result<void> put(customers::CustomerNumber customer, const std::vector<ChunkRow>& rows);
  RowWalk walk(customers::CustomerNumber customer, SeriesId series,
               const RowWalk::Range& range) const;
  /// As ChunkStore::newest.
  Result<std::optional<TimestampMs>> newest(customers::CustomerNumber customer, SeriesId series,
                                            TimestampMs from_ms) const;
  Result<void> sync() { return store_.sync(); }
  Result<std::size_t> expire(const kv::DayCuts& cuts);
  std::uint64_t disk_bytes() const { return store_.disk_bytes(family_); }

 private:
  kv::OrderedStore& store_;
  const Resolution resolution_;
  const kv::Family family_;
  kv::DaySet days_;
};

/// kCorrupt for a row of chunks that cannot be read whole, samples and all.
Result<void> check_chunk_row(std::string_view key, std::string_view value);
/// Likewise for one of roll-ups, windows and all. REQUIRES: not raw.
Result<void> check_rollup_row(Resolution resolution, std::string_view key, std::string_view value);

}  // namespace vigia::storage::store::rocksdb
