// Puts items together with the resource and the scope that they refer to.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// For one walk over a customer's rows: keeps the origins that it has read, up to a bound. Thread
/// contract: one thread.
class EventReader {
 public:
  /// `store` must outlive it.
  EventReader(kv::OrderedStore& store, kv::Family family, customers::CustomerNumber customer)
      : store_(store), family_(family), customer_(customer) {}

  /// The item of a row. Views into `row` and into what the reader keeps: until the next call.
  /// kCorrupt for a damaged row, and where an origin is not there.
  Result<EventView> read(std::string_view row);
  /// Of a row that has been taken apart.
  Result<EventView> read(const StoredItem& item);

 private:
  struct OriginKey {
    std::uint32_t day;
    OriginHash hash;
    bool operator==(const OriginKey&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const OriginKey& key) const { return key.hash.low ^ key.day; }
  };

  Result<OriginView> origin(const OriginKey& of);

  kv::OrderedStore& store_;
  kv::Family family_;
  customers::CustomerNumber customer_;
  std::unordered_map<OriginKey, std::string, KeyHash> origins_;  // the rows
  std::size_t bytes_ = 0;
};

}  // namespace vigia::storage::store::rocksdb::events
