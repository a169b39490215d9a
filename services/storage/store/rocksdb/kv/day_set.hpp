// The days of which a family has keys, where keys begin with the day (u32, since 1970).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/model/sample.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/rocksdb/kv/day_cuts.hpp"
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
  /// Forgets the days that ended, with `overhang_ms` more, at or before the cut; returns of how
  /// many something went. Where cuts differ, keys have the customer's number (u32) behind the day,
  /// or behind one or two zeros that follow it, and of a day that is not over for all those of whom
  /// it is go; in these days malformed keys stay. What is put into such a day meanwhile goes now or
  /// the next time, but for a key whose note came before the forgetting and whose put comes after
  /// the drop: it is not seen until the next load. After an error, or a kill on the way, the day
  /// may have lost some of its keys; the next time takes the rest. One call at a time.
  Result<std::size_t> expire(const DayCuts& cuts, TimestampMs overhang_ms);

 private:
  using IsOver = std::function<bool(std::uint32_t number)>;
  struct Place {  // of keys that begin so and go on with a number
    Family family = Family::kIndex;
    std::string prefix;
    int zeros_left = 0;  // numbers 0 that may yet follow, with another number behind
  };
  void forget(std::uint32_t day);
  Result<void> drop(std::uint32_t day);
  std::set<std::uint32_t> begin_parts(const DayCuts& cuts, TimestampMs overhang_ms);
  Result<bool> drop_part(std::uint32_t day, const IsOver& is_over);
  Result<bool> drop_part(const Place& place, const IsOver& is_over);

  OrderedStore& store_;
  Family family_;
  const std::string copies_;
  mutable std::mutex mutex_;
  std::set<std::uint32_t> days_;
  /// The days up to which all was looked through, by number; nothing: it was not, or not to the
  /// end.
  std::optional<std::map<std::uint32_t, std::uint32_t>> parts_until_;
  std::uint32_t watched_before_ = 0;  // under mutex_: days of which some are over
  std::set<std::uint32_t> touched_;  // under mutex_: of these, noted since they were looked through
};

}  // namespace vigia::storage::store::rocksdb::kv
