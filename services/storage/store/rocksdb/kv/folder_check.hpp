// Looks at the files of a closed store and changes none: what a start would find damaged.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "services/storage/store/check_report.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// An error where the row is malformed although its checksum is right. `family`: as kFamilyNames.
using RowCheck = std::function<Result<void>(std::string_view family, std::string_view key,
                                            std::string_view value)>;
/// Told before each file is read, with the files that are left.
using CheckProgress = std::function<void(const std::string& file, std::size_t left)>;

/// Reads CURRENT, the MANIFEST, every row of every table that it names, and RocksDB's own
/// write-ahead logs. Damage is part of the report. kUnavailable where another process holds the
/// folder, kNotFound where there is none.
Result<CheckReport> check_folder(const std::string& directory, const RowCheck& check_row,
                                 const CheckProgress& progress);

}  // namespace vigia::storage::store::rocksdb::kv
