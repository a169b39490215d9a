#include "services/storage/heads/stored_run.hpp"

#include <algorithm>

namespace vigia::storage::heads {

StoredRun::StoredRun(store::ChunkRow row, TimestampMs from_ms, TimestampMs to_ms)
    : row_(std::move(row)), from_ms_(from_ms), to_ms_(to_ms), reader_(row_.data) {
  sample_.timestamp_ms = INT64_MIN;
}

std::optional<double> StoredRun::value_at(TimestampMs time_ms) {
  // A chunk can only be read forwards. Late samples come in order, so going back is rare; each such
  // step costs a read from the beginning.
  if (time_ms < sample_.timestamp_ms) {
    reader_ = chunk::ChunkReader(row_.data);
    sample_.timestamp_ms = INT64_MIN;
  }
  while (sample_.timestamp_ms < time_ms && reader_.next(sample_)) {
  }
  if (sample_.timestamp_ms != time_ms) return std::nullopt;
  return sample_.value;
}

std::unique_ptr<StoredRun> find_run(const std::vector<store::ChunkRow>& rows, TimestampMs from_ms,
                                    TimestampMs to_ms) {
  const auto is_there = [&](const store::ChunkRow& row) {
    return row.first_ms <= from_ms && row.last_ms >= from_ms;
  };
  const auto found = std::find_if(rows.begin(), rows.end(), is_there);
  if (found == rows.end() || found->encoding != store::Encoding::kFloats) return nullptr;
  to_ms = std::min(to_ms, found->last_ms);
  for (const store::ChunkRow& row : rows) {
    // A second row in the range may hold the sample as well: then a single chunk does not tell.
    if (&row != &*found && row.first_ms <= to_ms) return nullptr;
  }
  return std::make_unique<StoredRun>(*found, from_ms, to_ms);
}

}  // namespace vigia::storage::heads
