// OrderedStore on RocksDB, one column family a key space.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/rocksdb/kv/settings.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// One that can be copied while it is open.
class CopyableStore : public OrderedStore {
 public:
  /// A folder that is not there yet, on the store's file system: it opens as a store with every
  /// write that was durable before the call. Files are shared with it. kUnavailable, and as others.
  virtual Result<void> copy_to(const std::string& directory) = 0;
};

/// Opens the folder, makes it where it is missing. Whatever is damaged in it is moved into its
/// folder `quarantine`, what can be read of that is written anew, and the rest is served: the loss
/// is counted (damage) and logged. The same happens by itself to what turns out to be damaged
/// later; meanwhile, for seconds, all calls answer kUnavailable. kUnavailable, naming the folder,
/// where another process holds it; with retry_after set where the disk refuses (full).
Result<std::unique_ptr<CopyableStore>> open_rocksdb(const RocksDbSettings& settings);

}  // namespace vigia::storage::store::rocksdb::kv
