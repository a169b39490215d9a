// What lies in the quarantine, given to the store again.
#pragma once

#include <cstdint>

#include "services/storage/heads/stored_series.hpp"
#include "services/storage/quarantine/chunk_quarantine.hpp"

namespace vigia::storage::heads {

struct RestoreCounts {
  std::uint64_t restored = 0;  ///< chunks that the store has now
  std::uint64_t left = 0;      ///< refused again, or not read: they stay for the next start
  std::uint64_t damaged = 0;   ///< files that are no chunk any more
  /// The highest numbers in what was read: no new series or customer may be given one of them.
  store::SeriesId series_max;
  customers::CustomerNumber customer_max;
};

/// Before the write-ahead log is replayed: what lies in both then vanishes as a repeat. A chunk
/// goes from the quarantine once the store has it on disk. One that the store refuses stays, one
/// bad file is one file; of a customer with eight that it refuses for now the rest waits for the
/// next start, the other customers' do not. A chunk in whose place the store has another by now
/// replaces nothing: it becomes a late one. Logs what it did. Thread contract: one thread.
RestoreCounts restore_chunks(quarantine::ChunkQuarantine& quarantine, StoredSeries& store);

}  // namespace vigia::storage::heads
