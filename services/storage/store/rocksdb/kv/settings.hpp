// What a file says of the store on RocksDB.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::storage::store::rocksdb::kv {

struct RocksDbSettings {
  std::string directory;
  std::uint64_t cache_bytes = 64U << 20U;  ///< blocks read, all families together
  /// Of one family; two may exist at a time. The index has a quarter of it, its copies an eighth.
  std::uint64_t write_buffer_bytes = 32U << 20U;
  std::uint64_t write_buffers_bytes_max = 128U << 20U;  ///< of all families together
  /// What a pass over all tables takes that looks for damage nobody has met; 0: none is made.
  Duration scrub = std::chrono::hours(24 * 7);
  /// Before the first table: who starts again and again would read one with each start.
  Duration scrub_wait = std::chrono::minutes(1);
  /// A walk that is under way keeps a damaged file from being set aside so long at most; then that
  /// is tried later.
  Duration end_patience = std::chrono::seconds(60);
};

/// Of the key `store.rocksdb`; what cannot be is noted at its key. `memory_max`: of the process.
RocksDbSettings read_rocksdb(const service::ConfigNode& node, std::uint64_t memory_max);

}  // namespace vigia::storage::store::rocksdb::kv
