// Keys of spans, log records and their origins. Format: docs/formats/cold-store.md.
#pragma once

#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

struct XXH3_state_s;

namespace vigia::storage::store::rocksdb::events::event_key {

inline constexpr std::uint64_t kNsPerMs = 1'000'000;

std::uint32_t day_of_ns(TimestampNs time_ns);
/// Of a day.
TimestampNs first_of(std::uint32_t day);
TimestampNs last_of(std::uint32_t day);
/// The time under which a span or log record that names `own_ns` lies on the day of its key: what
/// names none or one far ahead lies at the day's first moment.
TimestampNs filed_ns(std::uint32_t day, TimestampNs own_ns);
/// Of all items of a customer on a day.
std::string prefix(std::uint32_t day, customers::CustomerNumber customer);
/// No customer has the number 0: a day's origins lie before its items and go with them.
std::string origin(std::uint32_t day, customers::CustomerNumber customer, const OriginHash& hash);
/// Of kIdentity: where the second copies of a day's origins begin, a day's key behind it; and the
/// copy of one. All items of a customer's resource on a day need its origin.
std::string origin_copies(kv::Family family);
std::string origin_copy(kv::Family family, std::string_view origin_key);
/// The key that an item filed by its arrival has where it arrived on another day.
std::string moved_to(std::uint32_t day, Signal signal, std::string_view key);

/// Hashes items as the whole rows of versions 1 and 2 are hashed, so that an item has one key in
/// all versions; what items share is read once. Thread contract: one thread at a time.
class ItemHasher {
 public:
  ItemHasher();
  ~ItemHasher();
  ItemHasher(const ItemHasher&) = delete;
  ItemHasher& operator=(const ItemHasher&) = delete;

  void set_resource(const OriginView& resource);
  void set_scope(const OriginView& scope);
  /// Appends the hash of the item to a key, and gives it.
  OriginHash append(std::string& key, std::string_view item);

 private:
  XXH3_state_s* resource_;  // freed by the destructor; of xxhash's own making, for its alignment
  XXH3_state_s* scope_;
  XXH3_state_s* item_;
};

/// Of the index: the last arrival of a log record (event_row.hpp), for the next start.
inline constexpr std::string_view kLogArrival = "m/log_arrival";
kv::KeyValue log_arrival_row(std::uint64_t arrival);

}  // namespace vigia::storage::store::rocksdb::events::event_key
