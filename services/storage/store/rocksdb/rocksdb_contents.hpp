// FolderContents of a folder of RocksDB's.
#pragma once

#include <memory>
#include <string>

#include "libs/base/result.hpp"
#include "services/storage/instance/folder_contents.hpp"

namespace vigia::storage::store::rocksdb {

/// As kv::open_read_only; kInvalid for a folder that a later version of the program wrote.
Result<std::unique_ptr<instance::FolderContents>> open_contents(const std::string& directory);

}  // namespace vigia::storage::store::rocksdb
