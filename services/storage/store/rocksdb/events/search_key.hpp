// Keys of what finds spans and log records without their ids. Format: docs/formats/cold-store.md,
// "Finding".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/log_streams.hpp"

namespace vigia::storage::store::rocksdb::events::search_key {

/// Of times: 68.7 s each. A block holds entries of one alone.
inline constexpr unsigned kBucketBits = 36;
constexpr std::uint32_t bucket_of(TimestampNs time_ns) {
  return static_cast<std::uint32_t>(time_ns >> kBucketBits);
}
constexpr TimestampNs bucket_begin(std::uint32_t bucket) {
  return static_cast<TimestampNs>(bucket) << kBucketBits;
}
constexpr TimestampNs bucket_last(std::uint32_t bucket) {
  return bucket_begin(bucket) | ((TimestampNs{1} << kBucketBits) - 1);
}

/// Of names in keys; a process' own secret is not needed, as each hit is looked up.
std::uint64_t hash_of(std::string_view name);

// They lie before the origins of the day: no item and no origin is of customer 0 twice.

/// Of all rows of a customer on a day.
std::string own(std::uint32_t day, customers::CustomerNumber customer);
/// Where it is noted that a customer's day was indexed late, or how far that has come.
std::string progress(std::uint32_t day, customers::CustomerNumber customer);
/// Prefix of the names of services, and one: the name is the rest of the key.
std::string services(std::uint32_t day, customers::CustomerNumber customer);
/// Prefix of the operations of a service; behind it the name, a NUL, and the kind in one byte.
std::string operations(std::uint32_t day, customers::CustomerNumber customer,
                       std::uint64_t service);
/// Prefix of the blocks of a service; behind it bucket u32 and hash of the block u64.
std::string blocks(std::uint32_t day, customers::CustomerNumber customer, std::uint64_t service);
/// Likewise of log records: of a shard of the streams (log_block.hpp).
std::string log_blocks(std::uint32_t day, customers::CustomerNumber customer, std::uint8_t shard);
/// Prefix of the streams of log records, and the rest of the key of one: nothing where it is too
/// long to be listed (kListedNameMax), or holds a NUL.
std::string streams(std::uint32_t day, customers::CustomerNumber customer);
std::optional<std::string> stream_text(const LogStream& stream);
/// Nothing where it is no such text.
std::optional<LogStream> stream_in(std::string_view text);
/// The key of a block behind the prefix of its kind.
std::string block(std::string_view prefix, std::uint32_t bucket, std::string_view value);
/// The bucket of a block's key behind its prefix; nothing where it is none.
std::optional<std::uint32_t> bucket_in(std::string_view rest);

}  // namespace vigia::storage::store::rocksdb::events::search_key
