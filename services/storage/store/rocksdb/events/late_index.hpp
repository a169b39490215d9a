// Indexes a customer's spans of a day that has no index, or not a whole one, when a search asks for
// that day.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/events/damaged_items.hpp"
#include "services/storage/store/rocksdb/events/event_reader.hpp"
#include "services/storage/store/rocksdb/events/span_indexer.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Thread contract: one thread; others may index the same day meanwhile.
class LateIndex {
 public:
  /// All must outlive it. `epoch`: IndexedDays.
  LateIndex(kv::OrderedStore& store, customers::CustomerNumber customer, std::uint64_t epoch,
            KnownNames& names, DamagedItems& damaged)
      : store_(store),
        customer_(customer),
        epoch_(epoch),
        names_(names),
        damaged_(damaged),
        reader_(store, kv::Family::kSpans, customer) {}

  /// True once all of the day is indexed; at once where that was so. False where the limit came
  /// before: it has come further, and the next call goes on there.
  Result<bool> make(std::uint32_t day, const WorkLimit& limit);

 private:
  struct Progress {
    bool is_done = false;
    std::string last;  // key that is indexed
  };
  Result<Progress> progress_of(std::uint32_t day) const;
  /// A batch of rows behind `progress`, and where it has come.
  Result<void> go_on(std::uint32_t day, Progress& progress);
  const std::shared_ptr<const OriginTags>& tags_of(const EventView& event);

  kv::OrderedStore& store_;
  const customers::CustomerNumber customer_;
  const std::uint64_t epoch_;
  KnownNames& names_;
  DamagedItems& damaged_;
  EventReader reader_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<const OriginTags>> tags_;
};

}  // namespace vigia::storage::store::rocksdb::events
