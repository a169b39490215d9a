#include "services/storage/store/rocksdb/events/search_key.hpp"

#include <xxhash.h>

#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events::search_key {
namespace {

constexpr char kProgress = 0;
constexpr char kService = 1;
constexpr char kOperation = 2;
constexpr char kBlock = 3;
constexpr char kStream = 4;

}  // namespace

std::uint64_t hash_of(std::string_view name) { return XXH3_64bits(name.data(), name.size()); }

std::string own(std::uint32_t day, customers::CustomerNumber customer) {
  std::string key = event_key::prefix(day, customers::CustomerNumber{0});
  kv::append_key_u32(key, 0);
  kv::append_key_u32(key, customer.value);
  return key;
}

std::string progress(std::uint32_t day, customers::CustomerNumber customer) {
  return own(day, customer) + kProgress;
}

std::string services(std::uint32_t day, customers::CustomerNumber customer) {
  return own(day, customer) + kService;
}

std::string operations(std::uint32_t day, customers::CustomerNumber customer,
                       std::uint64_t service) {
  std::string key = own(day, customer) + kOperation;
  kv::append_key_u64(key, service);
  return key;
}

std::string blocks(std::uint32_t day, customers::CustomerNumber customer, std::uint64_t service) {
  std::string key = own(day, customer) + kBlock;
  kv::append_key_u64(key, service);
  return key;
}

std::string log_blocks(std::uint32_t day, customers::CustomerNumber customer, std::uint8_t shard) {
  return own(day, customer) + kBlock + static_cast<char>(shard);
}

std::string streams(std::uint32_t day, customers::CustomerNumber customer) {
  return own(day, customer) + kStream;
}

std::optional<std::string> stream_text(const LogStream& stream) {
  std::string text;
  text.reserve(stream.service_name.size() + stream.node_id.size() + stream.environment.size() + 2);
  for (const std::string* part : {&stream.service_name, &stream.node_id, &stream.environment}) {
    if (part->size() > kListedNameMax || part->find('\0') != std::string::npos) return std::nullopt;
    if (part != &stream.service_name) text += '\0';
    text += *part;
  }
  return text;
}

std::optional<LogStream> stream_in(std::string_view text) {
  LogStream stream;
  for (std::string* part : {&stream.service_name, &stream.node_id}) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    *part = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  stream.environment = text;
  return stream;
}

// By its hash: what is written again, after a fault or beside itself, is one row, and no two
// requests' blocks are.
std::string block(std::string_view prefix, std::uint32_t bucket, std::string_view value) {
  std::string key(prefix);
  kv::append_key_u32(key, bucket);
  kv::append_key_u64(key, hash_of(value));
  return key;
}

std::optional<std::uint32_t> bucket_in(std::string_view rest) {
  bool ok = true;
  const std::uint32_t bucket = kv::take_key_u32(rest, ok);
  if (!ok || rest.size() != sizeof(std::uint64_t)) return std::nullopt;
  return bucket;
}

}  // namespace vigia::storage::store::rocksdb::events::search_key
