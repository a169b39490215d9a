// A query's walk over a customer's log records.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/rocksdb/events/damaged_items.hpp"
#include "services/storage/store/rocksdb/events/event_reader.hpp"
#include "services/storage/store/rocksdb/events/log_rows.hpp"
#include "services/storage/store/rocksdb/events/log_slots.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/stream_selector.hpp"

namespace vigia::storage::store::rocksdb::events {

/// So much is looked at in one search, whatever its limit: who asks for more goes on.
struct LogBounds {
  std::size_t rows = 5'000'000;
  std::size_t bytes = std::size_t{2} << 30U;
};

/// Log records of one time lie by their hash; this gives them by their arrival, those of some MiB
/// at a time. A query for streams reads, of days with an index, what that leads to: the records of
/// these streams and those of the same 16 microseconds. Thread contract: one thread.
class LogWalk {
 public:
  /// All but `bounds` must outlive it. The query's range is not empty.
  LogWalk(kv::OrderedStore& store, customers::CustomerNumber customer, const LogQuery& query,
          const EventStore::LogVisit& visit, DamagedItems& damaged, const LogBounds& bounds = {});

  /// `days`: on which there are any, in order.
  using IsIndexed = std::function<bool(std::uint32_t day)>;
  Result<LogEnd> run(const std::vector<std::uint32_t>& days, const IsIndexed& is_indexed,
                     const WorkLimit& limit);

 private:
  /// How a part of the walk ended.
  enum class Went : std::uint8_t { kOn, kEnough, kLimited };
  struct WaitingRow {
    StoredItem head;      // all but its item
    std::size_t item_at;  // where that begins
    bool is_whole;        // of an earlier program, which says it all in one row
    std::string bytes;
  };

  bool is_backward() const { return query_.direction == LogDirection::kBackward; }
  Result<Went> walk_day(std::uint32_t day, bool is_indexed, const WorkLimit& limit);
  Result<Went> walk_buckets(LogBuckets& buckets, const LogDay& of, const WorkLimit& limit);
  Result<Went> walk_bucket(const LogBuckets& buckets, LogRows& rows, const LogDay& of,
                           const WorkLimit& limit);
  Result<Went> walk_times(LogRows& rows, TimestampNs from_ns, TimestampNs to_ns,
                          const WorkLimit& limit);
  bool is_far_enough() const;
  bool is_over(const WorkLimit& limit) const;
  Result<Went> end_day(std::uint32_t day);
  Result<Went> add(TimestampNs time_ns, std::string_view row);
  bool has_come_then(std::uint64_t arrival) const;
  void note_looked_at(const LogPlace& place);
  WaitingRow& waiting_row();
  std::span<WaitingRow> waiting() { return {rows_.data(), waiting_}; }
  void sort_waiting();
  Result<Went> give_waiting();
  Result<EventView> event_of(const WaitingRow& row);
  Result<Went> give(const WaitingRow& row);

  kv::OrderedStore& store_;
  const customers::CustomerNumber customer_;
  const LogQuery& query_;
  const EventStore::LogVisit& visit_;
  DamagedItems& damaged_;
  const LogBounds bounds_;
  EventReader reader_;
  StreamSelector selector_;
  TimestampNs from_ns_;
  TimestampNs to_ns_;
  std::size_t given_ = 0;
  std::size_t rows_seen_ = 0;
  std::size_t bytes_seen_ = 0;
  std::optional<LogPlace> looked_at_;
  LogPlace place_;                // of the next of the rows below; all have its time
  std::vector<WaitingRow> rows_;  // the first of them; those behind keep their memory for others
  std::size_t waiting_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::storage::store::rocksdb::events
