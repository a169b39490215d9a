// ChunkStore on an ordered store. Format: docs/formats/cold-store.md.
#pragma once

#include <memory>

#include "services/storage/store/chunk_store.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// Keys begin with the day, so that expiry drops whole files; then customer, series, time.
class KvChunkStore final : public ChunkStore {
  struct Key {};  // only open makes one

 public:
  KvChunkStore(Key /*key*/, kv::OrderedStore& store)
      : store_(store), days_(store, kv::Family::kChunks) {}
  /// `store` must outlive it. kCorrupt where the store holds keys that are not chunk rows.
  static Result<std::unique_ptr<KvChunkStore>> open(kv::OrderedStore& store);

  Result<void> put(CustomerNumber customer, const std::vector<ChunkRow>& rows) override;
  Result<void> visit(CustomerNumber customer, SeriesId series, TimestampMs from_ms,
                     TimestampMs to_ms, const RowVisit& visit) override;
  Result<std::optional<TimestampMs>> newest(CustomerNumber customer, SeriesId series,
                                            TimestampMs from_ms) override;
  Result<void> sync() override { return store_.sync(); }
  Result<std::size_t> expire(TimestampMs before_ms) override;
  std::uint64_t disk_bytes() const override { return store_.disk_bytes(kv::Family::kChunks); }

 private:
  kv::OrderedStore& store_;
  kv::DaySet days_;
};

}  // namespace vigia::storage::store::rocksdb
