// What the open series ask of the store, by the numbers of the write-ahead log.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/quarantine/chunk_quarantine.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::heads {

/// Turns numbers into ids and, for a store that asks for them, ids into metrics. Thread contract:
/// any thread. Errors as ChunkStore's.
class StoredSeries {
 public:
  /// All must outlive it. `catalog` may be null where the store needs no metrics, `quarantine`
  /// where nothing is kept aside.
  StoredSeries(store::ChunkStore& chunks, customers::CustomerNumbers& numbers,
               const store::Catalog* catalog = nullptr,
               quarantine::ChunkQuarantine* quarantine = nullptr)
      : chunks_(chunks), numbers_(numbers), catalog_(catalog), quarantine_(quarantine) {}

  /// As ChunkStore::put, waited for. What is of a number that nobody has (a store that lost its end
  /// gave it out) is kept under that number, and holds up nothing.
  Result<void> put(customers::CustomerNumber customer, std::span<store::ClosedChunk> chunks);
  /// On disk when it returns, in the file that it names: what the store never takes. Errors as
  /// ChunkQuarantine::keep.
  Result<std::string> keep_aside(customers::CustomerNumber customer,
                                 const store::ClosedChunk& chunk);
  /// Raw rows that overlap from_ms … to_ms. None for a number that nobody has.
  Result<std::vector<store::ChunkRow>> read(customers::CustomerNumber customer,
                                            store::SeriesId series, TimestampMs from_ms,
                                            TimestampMs to_ms);
  Result<std::optional<TimestampMs>> newest(customers::CustomerNumber customer,
                                            store::SeriesId series, TimestampMs from_ms);
  Result<void> sync() { return chunks_.sync(); }

  /// As CustomerNumbers::id_of.
  std::optional<CustomerId> id_of(customers::CustomerNumber customer);

 private:
  Result<store::SeriesKey> key_of(const CustomerId& customer, store::SeriesId series) const;
  Result<void> add_metrics(const CustomerId& customer, std::span<store::ClosedChunk> chunks) const;

  store::ChunkStore& chunks_;
  customers::CustomerNumbers& numbers_;
  const store::Catalog* catalog_;
  quarantine::ChunkQuarantine* quarantine_;
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, CustomerId> ids_;  // numbers are given out for ever
};

}  // namespace vigia::storage::heads
