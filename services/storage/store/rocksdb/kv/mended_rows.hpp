// Rows that lay in a damaged file, written anew while others write: never over a newer row.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Thread contract: one thread.
class MendedRows {
 public:
  /// `store` must outlive it.
  explicit MendedRows(OrderedStore& store) : store_(store) {}

  /// Written by the time of finish.
  Result<void> add(GuardedWrite write) {
    bytes_ += write.row.key.size() + write.row.value.size();
    writes_.push_back(std::move(write));
    return bytes_ < kBytesAtOnce ? Result<void>() : flush();
  }
  /// All are on disk when it returns.
  Result<void> finish() {
    if (auto flushed = flush(); !flushed) return flushed;
    return store_.sync();
  }
  /// How many rows were as they had been read.
  std::size_t written() const { return written_; }

 private:
  // All writers wait for so many.
  static constexpr std::size_t kBytesAtOnce = 64U << 10U;

  Result<void> flush() {
    const auto written = store_.put_unchanged(writes_);
    if (!written) return forward(written);
    written_ += *written;
    writes_.clear();
    bytes_ = 0;
    return {};
  }

  OrderedStore& store_;
  std::vector<GuardedWrite> writes_;
  std::size_t bytes_ = 0;
  std::size_t written_ = 0;
};

}  // namespace vigia::storage::store::rocksdb::kv
