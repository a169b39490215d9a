// Whether rows of the index, of spans and of log records are what they should be, by their bytes
// alone: for whoever looks at a folder without opening it.
#pragma once

#include <string_view>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// Of kIndex, kIdentity, kSpans or kLogs: kCorrupt for a row that no version of the program wrote.
/// Whether what a row refers to is there is not looked at.
Result<void> check_index_row(kv::Family family, std::string_view key, std::string_view value);

}  // namespace vigia::storage::store::rocksdb
