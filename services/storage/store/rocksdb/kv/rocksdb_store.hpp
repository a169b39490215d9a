// OrderedStore on RocksDB, one column family a key space.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/rocksdb/kv/settings.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Opens the folder, makes it where it is missing. Whatever is damaged in it is moved into its
/// folder `quarantine`, what can be read of that is written anew, and the rest is served: the loss
/// is counted (damage) and logged. The same happens by itself to what turns out to be damaged
/// later; meanwhile, for seconds, all calls answer kUnavailable. kUnavailable, naming the folder,
/// where another process holds it; with retry_after set where the disk refuses (full).
Result<std::unique_ptr<OrderedStore>> open_rocksdb(const RocksDbSettings& settings);

}  // namespace vigia::storage::store::rocksdb::kv
