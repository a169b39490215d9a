// A chunk store that hands everything on to another: tests override what they watch or disturb.
#pragma once

#include <utility>

#include "services/storage/store/chunks.hpp"

namespace vigia::storage::store {

/// Asks for no metrics, whatever the other does: rows lie under the metric "". Thread contract: as
/// the other.
class WatchedChunks : public ChunkStore {
 public:
  /// Must outlive it.
  explicit WatchedChunks(ChunkStore& chunks) : chunks_(chunks) {}

  bool has(Resolution resolution) const override { return chunks_.has(resolution); }
  DueDays* due_days() override { return chunks_.due_days(); }
  void put(const CustomerId& customer, std::span<const ClosedChunk> chunks, Done done) override {
    chunks_.put(customer, chunks, std::move(done));
  }
  std::unique_ptr<ChunkCursor> read(const CustomerId& customer, std::span<const SeriesKey> series,
                                    const ChunkQuery& query) override {
    return chunks_.read(customer, series, query);
  }
  Result<std::optional<TimestampMs>> newest(const CustomerId& customer, const SeriesKey& series,
                                            TimestampMs from_ms) override {
    return chunks_.newest(customer, series, from_ms);
  }
  Result<void> sync() override { return chunks_.sync(); }
  Result<std::size_t> expire(Resolution resolution, const ExpiryCuts& cuts) override {
    return chunks_.expire(resolution, cuts);
  }
  std::uint64_t disk_bytes() const override { return chunks_.disk_bytes(); }

 private:
  ChunkStore& chunks_;
};

}  // namespace vigia::storage::store
