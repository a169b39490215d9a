// OrderedStore on RocksDB, one column family a key space.
#pragma once

#include <memory>
#include <string>

#include "libs/base/clock.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

struct RocksDbSettings {
  std::string directory;
  std::uint64_t cache_bytes = 64U << 20U;  ///< blocks read, all families together
  /// Of one family; two may exist at a time. The index has a quarter of it, its copies an eighth.
  std::uint64_t write_buffer_bytes = 32U << 20U;
  std::uint64_t write_buffers_bytes_max = 128U << 20U;  ///< of all families together
  /// A walk that is under way keeps a damaged file from being set aside so long at most; then that
  /// is tried later.
  Duration end_patience = std::chrono::seconds(60);
};

/// Opens the folder, makes it where it is missing. Whatever is damaged in it is moved into its
/// folder `quarantine`, what can be read of that is written anew, and the rest is served: the loss
/// is counted (damage) and logged. The same happens by itself to what turns out to be damaged
/// later; meanwhile, for seconds, all calls answer kUnavailable. kUnavailable, naming the folder,
/// where another process holds it; with retry_after set where the disk refuses (full).
Result<std::unique_ptr<OrderedStore>> open_rocksdb(const RocksDbSettings& settings);

}  // namespace vigia::storage::store::rocksdb::kv
