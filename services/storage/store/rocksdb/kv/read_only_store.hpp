// The database of a closed folder, read and never written: for whoever looks at what lies there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Nothing in the folder changes, nothing damaged is mended. Thread contract: one thread.
class ReadOnlyStore {
 public:
  virtual ~ReadOnlyStore() = default;
  /// As OrderedStore::scan and get, but that damage is kCorrupt. A family that the folder does not
  /// have, being of an older version, is empty.
  virtual std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) = 0;
  virtual Result<std::optional<std::string>> get(Family family, std::string_view key) = 0;
  /// What is damaged of RocksDB's own logs, a line each. RocksDB opens them all the same, up to the
  /// first damage, and says nothing: rows that stand behind it are missing here.
  virtual const std::vector<std::string>& log_damage() const = 0;
};

/// Holds the folder's lock, where it has one, as long as the store lives. What RocksDB's own logs
/// hold is read into memory: as much as they are long, half a GiB at most. kUnavailable where
/// another process holds the folder, kNotFound where there is no store in it, kInvalid where it has
/// a column family that is not known here, kCorrupt where its damage keeps it from being opened
/// (check_folder says which).
Result<std::unique_ptr<ReadOnlyStore>> open_read_only(const std::string& directory);

}  // namespace vigia::storage::store::rocksdb::kv
