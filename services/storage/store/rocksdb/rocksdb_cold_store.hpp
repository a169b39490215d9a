// ColdStore on an ordered store of one machine: names of customers become the numbers that stand in
// its keys here, and nowhere else.
#pragma once

#include <functional>
#include <memory>

#include "libs/base/clock.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/customers/record_times.hpp"
#include "services/storage/store/cold_store.hpp"
#include "services/storage/store/rocksdb/events/event_table.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv_chunks.hpp"
#include "services/storage/store/rocksdb/kv_exemplars.hpp"
#include "services/storage/store/rocksdb/kv_metadata.hpp"

namespace vigia::storage::store::rocksdb {

/// Its customer numbers are those of the index: the write-ahead log beside it speaks of them too.
/// One instance has the folder at a time, so it counts its series.
class RocksDbColdStore final : public ColdStore, public customers::CustomerNumbers {
  struct Key {};  // only open makes one

 public:
  /// Both must outlive it. `index_memory_max`: SeriesIndex::open. kCorrupt where the store was
  /// written by another version or holds foreign keys; kUnavailable.
  static Result<std::unique_ptr<RocksDbColdStore>> open(kv::OrderedStore& store, const Clock& clock,
                                                        std::size_t index_memory_max);
  explicit RocksDbColdStore(Key key);
  ~RocksDbColdStore() override;

  Catalog& catalog() override;
  ChunkStore& chunks() override;
  EventStore& events() override;
  ExemplarStore* exemplars() override;
  MetadataStore* metadata() override;
  SpanDays* span_days() override;
  Result<customers::CustomerNumber> number_of(const CustomerId& customer) override;
  std::optional<CustomerId> id_of(customers::CustomerNumber number) const override;
  Result<void> keep_unowned(customers::CustomerNumber number,
                            std::span<const ClosedChunk> chunks) override;

  /// Before the first write: EventTable::use_record_times, and use_oldest by signal.
  void use_record_times(customers::RecordTimes& times);
  void use_oldest(Signal signal, std::function<TimestampMs(const CustomerId&)> oldest_ms);
  /// What is of this store alone: its memory, its mending.
  index::SeriesIndex& index() { return *index_; }
  events::EventTable& items_of(Signal signal) {
    return signal == Signal::kTraces ? *spans_ : *logs_;
  }

 private:
  class ByNames;  // the parts of the contract

  std::unique_ptr<KvChunks> chunk_rows_;
  std::unique_ptr<index::SeriesIndex> index_;
  std::unique_ptr<events::EventTable> spans_;
  std::unique_ptr<events::EventTable> logs_;
  std::unique_ptr<KvExemplars> exemplar_rows_;
  std::unique_ptr<KvMetadata> metadata_rows_;
  std::unique_ptr<ByNames> by_names_;
};

}  // namespace vigia::storage::store::rocksdb
