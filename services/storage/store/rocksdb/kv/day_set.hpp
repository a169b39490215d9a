// The days of which a family has keys, where keys begin with the day (u32, since 1970).
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "libs/model/sample.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

std::string day_key(std::uint32_t day);

/// Kept in memory, so that a long range asks only the days that exist. Thread contract: any thread.
class DaySet {
 public:
  /// `store` must outlive it. Where `copies` is given, rows of kIdentity that begin with it and a
  /// day's key go with that day.
  DaySet(OrderedStore& store, Family family, std::string copies = {})
      : store_(store), family_(family), copies_(std::move(copies)) {}

  /// Finds the days that the store holds. A key that is shorter than a day is no row of anything:
  /// it is set aside.
  Result<void> load();
  /// Before the key is put: a reader must not miss it.
  void note(std::uint32_t day);
  std::vector<std::uint32_t> between(std::uint32_t first, std::uint32_t last) const;
  /// Forgets the days that ended, with `overhang_ms` more, at or before `before_ms`; returns how
  /// many. What is put into such a day meanwhile goes now or the next time, but
  /// for a key whose note came before the forgetting and whose put comes after the drop: it is not
  /// seen until the next load. After an error, or a kill on the way, the day may have lost some of
  /// its keys; the next time takes the rest.
  Result<std::size_t> expire(TimestampMs before_ms, TimestampMs overhang_ms);

 private:
  void forget(std::uint32_t day);
  Result<void> drop(std::uint32_t day);

  OrderedStore& store_;
  Family family_;
  const std::string copies_;
  mutable std::mutex mutex_;
  std::set<std::uint32_t> days_;
};

}  // namespace vigia::storage::store::rocksdb::kv
