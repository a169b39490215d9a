// Marks of days whose roll-ups are to be made, in an ordered store. Format:
// docs/formats/cold-store.md.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/due_days.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// As DueDays, by the numbers of customers. Thread contract: any thread.
class KvDueDays final {
 public:
  /// `store` must outlive it.
  explicit KvDueDays(kv::OrderedStore& store);
  void set_marking(bool is_marking) { is_marking_ = is_marking; }

  /// Adds the marks of a raw row to the writes that put it, where puts mark.
  void add_marks(customers::CustomerNumber customer, const ChunkRow& row,
                 std::vector<kv::KeyValue>& writes);
  Result<std::vector<DueDay>> due(customers::CustomerNumber customer, const DuePlace& from,
                                  std::size_t max) const;
  Result<void> done(customers::CustomerNumber customer, std::span<const DueDay> days);
  Result<std::string> mark_stored(const std::string& place);
  Result<std::string> note() const;
  Result<void> set_note(const std::string& note);

 private:
  void add_marks(customers::CustomerNumber customer, SeriesId series, const DayRange& days,
                 std::vector<kv::KeyValue>& writes);
  void add_mark(customers::CustomerNumber customer, const DuePlace& place,
                std::vector<kv::KeyValue>& writes);

  kv::OrderedStore& store_;
  std::atomic<std::uint64_t> next_stamp_;
  std::atomic<bool> is_marking_{true};
};

}  // namespace vigia::storage::store::rocksdb
