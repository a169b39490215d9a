// The lock of a store's folder, which RocksDB takes too.
#pragma once

#include <string>

namespace rocksdb {
class FileLock;
}

namespace vigia::storage::store::rocksdb::kv {

/// Held while files are looked at with the database closed.
class FolderLock {
 public:
  explicit FolderLock(const std::string& directory);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();
  /// False where another process, or this one, holds it.
  bool is_held() const { return lock_ != nullptr; }
  const std::string& why_not() const { return why_not_; }

 private:
  ::rocksdb::FileLock* lock_ = nullptr;
  std::string why_not_;
};

}  // namespace vigia::storage::store::rocksdb::kv
