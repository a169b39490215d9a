// RocksDbStore: a copy of the open database.
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>

#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"

namespace vigia::storage::store::rocksdb::kv {

Result<void> RocksDbStore::copy_to(const std::string& directory) {
  const auto opened = current();
  if (opened == nullptr) return mending();
  ::rocksdb::Checkpoint* raw = nullptr;
  auto status = ::rocksdb::Checkpoint::Create(opened->db.get(), &raw);
  const std::unique_ptr<::rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory);
  if (!status.ok()) return failure(damage_, status);
  return {};
}

}  // namespace vigia::storage::store::rocksdb::kv
