// Where on a day the records of some streams lie: what of the index a query for streams reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/rocksdb/events/damaged_items.hpp"
#include "services/storage/store/rocksdb/events/log_block.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// So many streams of a day are looked at; of a day that has more all records are.
inline constexpr std::size_t kDayStreamsMax = 100'000;

/// Codes (log_block.hpp), in order, of the day's streams that may have what the matchers ask for.
/// Nothing where the day is better walked as a whole: they are more than half of its streams, these
/// are too many, or the limit is over.
Result<std::optional<std::vector<std::uint32_t>>> codes_of(kv::OrderedStore& store,
                                                           customers::CustomerNumber customer,
                                                           std::uint32_t day,
                                                           const LabelMatchers& matchers,
                                                           const WorkLimit& limit);

/// What a query asks of a day.
struct LogDay {
  std::uint32_t day = 0;
  TimestampNs from_ns = 0;
  TimestampNs to_ns = 0;  ///< both included
  bool is_backward = false;
};

/// The buckets of a day that have records of some streams, in order or from the last one down.
/// Thread contract: one thread.
class LogBuckets {
 public:
  /// `store` must outlive it.
  LogBuckets(kv::OrderedStore& store, customers::CustomerNumber customer, const LogDay& of,
             std::vector<std::uint32_t> codes);

  /// Moves to the next bucket of which there are rows, whether it has any of the streams or not.
  /// False at the end, and once the limit is over. Of a row that cannot be read (it is counted) all
  /// of the bucket is to be looked at.
  Result<bool> next(DamagedItems& damaged, const WorkLimit& limit);
  std::uint32_t bucket() const { return bucket_; }
  const log_block::SlotSet& slots() const { return slots_; }

 private:
  /// The blocks of one shard.
  struct Rows {
    std::string prefix;
    std::unique_ptr<kv::Scan> scan;
    std::optional<std::uint32_t> bucket;  // of the row where it stands; nothing: it has ended
  };

  void add_shard(kv::OrderedStore& store, std::string prefix, const LogDay& of);
  Result<void> move(Rows& rows);
  std::optional<std::uint32_t> next_bucket() const;
  Result<void> read(Rows& rows, DamagedItems& damaged);

  const std::vector<std::uint32_t> codes_;
  const bool is_backward_;
  std::vector<Rows> shards_;
  bool has_begun_ = false;
  std::uint32_t bucket_ = 0;
  log_block::SlotSet slots_;
};

}  // namespace vigia::storage::store::rocksdb::events
