#include "services/storage/store/rocksdb/kv/folder_lock.hpp"

#include <rocksdb/env.h>

namespace vigia::storage::store::rocksdb::kv {

FolderLock::FolderLock(const std::string& directory) {
  const auto status = ::rocksdb::Env::Default()->LockFile(directory + "/LOCK", &lock_);
  if (status.ok()) return;
  lock_ = nullptr;
  why_not_ = status.ToString();
}

FolderLock::~FolderLock() {
  if (lock_ != nullptr) ::rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError();
}

}  // namespace vigia::storage::store::rocksdb::kv
