// A stretch of one stored chunk, in which samples that come again are found one after the other.
#pragma once

#include <memory>
#include <optional>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::heads {

/// After a kill the log gives again what is in chunks already, a step of every series at a time:
/// asking the store for each sample would take hours. Thread contract: one thread at a time.
class StoredRun {
 public:
  /// The stretch is from from_ms to to_ms, both included: within it the row is all that the store
  /// holds of the series. REQUIRES: the row is of floats.
  StoredRun(store::ChunkRow row, TimestampMs from_ms, TimestampMs to_ms);
  StoredRun(const StoredRun&) = delete;
  StoredRun& operator=(const StoredRun&) = delete;

  bool covers(TimestampMs time_ms) const { return time_ms >= from_ms_ && time_ms <= to_ms_; }
  /// Nothing where the store has no sample of that time. Fast where times ascend.
  /// REQUIRES: covers(time_ms).
  std::optional<double> value_at(TimestampMs time_ms);
  /// kCorrupt once damage was met: what value_at says then is not to be trusted.
  bool is_damaged() const { return reader_.is_damaged(); }
  std::size_t memory_bytes() const { return sizeof(StoredRun) + row_.data.capacity(); }

 private:
  store::ChunkRow row_;
  TimestampMs from_ms_;
  TimestampMs to_ms_;
  chunk::ChunkReader reader_;
  Sample sample_;  // the reader's last
};

/// The stretch of `rows` that begins at from_ms and ends at to_ms or earlier; null where not one
/// row of floats alone lies there. `rows` are all of the series that overlap from_ms … to_ms.
std::unique_ptr<StoredRun> find_run(const std::vector<store::ChunkRow>& rows, TimestampMs from_ms,
                                    TimestampMs to_ms);

}  // namespace vigia::storage::heads
