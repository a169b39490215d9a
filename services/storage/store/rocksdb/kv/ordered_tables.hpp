// Rows of several table files put in order: of a row that lies in more than one, the newest.
#pragma once

#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Calls `visit` for each row of the tables, once, with its newest value; what was deleted last is
/// left out. The numbers of the files say nothing of that: a compaction writes old rows into a new
/// file. The tables are read through a database of their own in the folder `scratch`, which is made
/// and removed; they themselves stay as they are. A damaged table's rows are left out. kCorrupt
/// where that database cannot be made or read; an error of `visit` ends it.
Result<void> read_tables_in_order(const std::string& scratch,
                                  const std::vector<std::string>& tables, const VisitRow& visit);

}  // namespace vigia::storage::store::rocksdb::kv
