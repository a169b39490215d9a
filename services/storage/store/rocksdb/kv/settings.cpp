#include "services/storage/store/rocksdb/kv/settings.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

// A shorter one would read more than what it looks for is worth.
constexpr Duration kScrubMin = std::chrono::hours(1);

}  // namespace

RocksDbSettings read_rocksdb(const service::ConfigNode& node, std::uint64_t memory_max) {
  RocksDbSettings settings;
  settings.directory = node.child("directory").required_text();
  settings.cache_bytes = node.child("cache").bytes(settings.cache_bytes);
  settings.write_buffer_bytes = node.child("write_buffer").bytes(settings.write_buffer_bytes);
  // Fixed as a share, whatever write_buffer says: with many families the buffers together could
  // take more than the process may.
  settings.write_buffers_bytes_max = memory_max / 8;
  const auto scrub = node.child("scrub");
  settings.scrub = scrub.text() == "off" ? Duration(0) : scrub.duration(settings.scrub);
  if (scrub.text() != "off" && settings.scrub < kScrubMin) {
    scrub.note_error("is to be off, or an hour at least");
  }
  return settings;
}

}  // namespace vigia::storage::store::rocksdb::kv
