// Marks of days whose roll-ups are to be made, in an ordered store. Format:
// docs/formats/cold-store.md.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
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
  Result<std::vector<DueDay>> due_of(customers::CustomerNumber customer,
                                     std::span<const SeriesId> series, const DayRange& range) const;
  Result<void> done(customers::CustomerNumber customer, std::span<const DueDay> days);
  Result<void> set_lost(customers::CustomerNumber customer, std::span<const DueDay> days);
  Result<std::size_t> forget_before(std::uint32_t day);
  std::uint32_t take_first_marked(customers::CustomerNumber customer);
  /// After the writes were put: that a day of the row is marked.
  void note_marked(customers::CustomerNumber customer, const ChunkRow& row);
  Result<std::string> mark_stored(const std::string& place);
  Result<std::string> note() const;
  Result<void> set_note(const std::string& note);

 private:
  kv::KeyValue mark_of(customers::CustomerNumber customer, const DuePlace& place, DueKind kind);
  void note_marked(std::uint32_t customer, std::uint32_t day);
  Result<void> add_marks_between(const std::string& from, const std::string& to, std::size_t max,
                                 std::vector<DueDay>& days) const;
  Result<std::vector<kv::KeyValue>> without_marked(std::vector<kv::KeyValue> marks);

  kv::OrderedStore& store_;
  std::mutex mutex_;
  std::map<std::uint32_t, std::uint32_t> first_marked_;  // day, by customer; none: not known
  std::atomic<std::uint64_t> next_stamp_;
  std::atomic<bool> is_marking_{true};
};

/// kCorrupt for a row of the family that is neither a mark nor the note.
Result<void> check_due_row(std::string_view key, std::string_view value);

}  // namespace vigia::storage::store::rocksdb
