// Words for what a damaged file costs.
#pragma once

#include <string>
#include <vector>

#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// "rows of chunks lost between 2025-11-25 customer 3 and 2025-11-26 customer 1; …": the gaps of a
/// table of that family, the first few of them.
std::string describe_gaps(const std::string& family, const std::vector<KeyGap>& gaps);

}  // namespace vigia::storage::store::rocksdb::kv
