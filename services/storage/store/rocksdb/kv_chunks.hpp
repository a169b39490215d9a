// Rows of chunks of every resolution in one ordered store.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "services/storage/store/rocksdb/kv_chunk_store.hpp"
#include "services/storage/store/rocksdb/kv_due_days.hpp"

namespace vigia::storage::store::rocksdb {

/// Each resolution lies in a family of its own. Thread contract: any thread. Errors as the ordered
/// store's.
class KvChunks final {
  struct Key {};  // only open makes one

 public:
  /// `store` must outlive it. As KvChunkStore::open.
  static Result<std::unique_ptr<KvChunks>> open(kv::OrderedStore& store);
  KvChunks(Key /*key*/, kv::OrderedStore& store) : store_(store), due_days_(store) {}

  /// As ChunkStore::put: all of them, of whichever resolutions, or none; of raw ones the days are
  /// marked.
  Result<void> put(customers::CustomerNumber customer, std::span<const ClosedChunk> chunks);
  KvChunkStore& of(Resolution resolution) {
    return *stores_.at(static_cast<std::size_t>(resolution));
  }
  KvDueDays& due_days() { return due_days_; }
  Result<void> sync() { return store_.sync(); }
  /// Of all resolutions.
  std::uint64_t disk_bytes() const;

 private:
  static constexpr std::size_t kResolutions = 4;

  kv::OrderedStore& store_;
  std::array<std::unique_ptr<KvChunkStore>, kResolutions> stores_;  // by their numbers
  KvDueDays due_days_;
};

}  // namespace vigia::storage::store::rocksdb
