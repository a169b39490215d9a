#include "services/storage/store/rocksdb/events/event_key.hpp"

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events::event_key {
namespace {

constexpr std::size_t kDayBytes = sizeof(std::uint32_t);
constexpr std::size_t kTimeAt = kDayBytes + sizeof(std::uint32_t);  // behind day and customer
constexpr char kWholeRow = 1;

void update(XXH3_state_t* state, std::string_view bytes) {
  CHECK(XXH3_128bits_update(state, bytes.data(), bytes.size()) == XXH_OK);
}

/// With the length before it, or a byte could change sides between two fields of one hash.
void update_sized(XXH3_state_t* state, std::string_view bytes) {
  std::string length;
  append_varint(length, bytes.size());
  update(state, length);
  update(state, bytes);
}

}  // namespace

std::uint32_t day_of_ns(TimestampNs time_ns) {
  return day_of(static_cast<TimestampMs>(time_ns / kNsPerMs));
}

TimestampNs first_of(std::uint32_t day) {
  return static_cast<TimestampNs>(day) * static_cast<TimestampNs>(kDayMs) * kNsPerMs;
}

TimestampNs last_of(std::uint32_t day) { return first_of(day + 1) - 1; }

TimestampNs filed_ns(std::uint32_t day, TimestampNs own_ns) {
  return own_ns != 0 && day_of_ns(own_ns) == day ? own_ns : first_of(day);
}

std::string prefix(std::uint32_t day, customers::CustomerNumber customer) {
  std::string key = kv::day_key(day);
  kv::append_key_u32(key, customer.value);
  return key;
}

std::string origin(std::uint32_t day, customers::CustomerNumber customer, const OriginHash& hash) {
  // Customer 0 is nobody: origins lie before all customers' items of the day, and go with the day.
  std::string key = prefix(day, customers::CustomerNumber{0});
  kv::append_key_u32(key, customer.value);
  kv::append_key_u64(key, hash.high);
  kv::append_key_u64(key, hash.low);
  return key;
}

std::string origin_copies(kv::Family family) {
  std::string key = "o";
  key.push_back(static_cast<char>(family));
  return key;
}

std::string origin_copy(kv::Family family, std::string_view origin_key) {
  return origin_copies(family).append(origin_key);
}

kv::KeyValue log_arrival_row(std::uint64_t arrival) {
  kv::KeyValue row{kv::Family::kIndex, std::string(kLogArrival), ""};
  append_u64(row.value, arrival);
  return row;
}

std::string moved_to(std::uint32_t day, Signal signal, std::string_view key) {
  std::string moved = kv::day_key(day);
  if (signal == Signal::kTraces) return moved.append(key.substr(kDayBytes));
  moved += key.substr(kDayBytes, kTimeAt - kDayBytes);
  kv::append_key_u64(moved, first_of(day));
  return moved.append(key.substr(kTimeAt + sizeof(TimestampNs)));
}

ItemHasher::ItemHasher()
    : resource_(XXH3_createState()), scope_(XXH3_createState()), item_(XXH3_createState()) {
  CHECK(resource_ != nullptr && scope_ != nullptr && item_ != nullptr);
  set_resource({});
}

ItemHasher::~ItemHasher() {
  XXH3_freeState(resource_);
  XXH3_freeState(scope_);
  XXH3_freeState(item_);
}

void ItemHasher::set_resource(const OriginView& resource) {
  CHECK(XXH3_128bits_reset(resource_) == XXH_OK);
  update(resource_, {&kWholeRow, 1});
  update_sized(resource_, resource.message);
  update_sized(resource_, resource.schema_url);
  set_scope({});
}

void ItemHasher::set_scope(const OriginView& scope) {
  XXH3_copyState(scope_, resource_);
  update_sized(scope_, scope.message);
  update_sized(scope_, scope.schema_url);
}

OriginHash ItemHasher::append(std::string& key, std::string_view item) {
  // Resource and scope are hashed once for all of their items: the state is copied behind them.
  XXH3_copyState(item_, scope_);
  update(item_, item);
  const XXH128_hash_t hash = XXH3_128bits_digest(item_);
  kv::append_key_u64(key, hash.high64);
  kv::append_key_u64(key, hash.low64);
  return {hash.high64, hash.low64};
}

}  // namespace vigia::storage::store::rocksdb::events::event_key
