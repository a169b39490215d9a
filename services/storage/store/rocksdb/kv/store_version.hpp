// Which tables a MANIFEST names. RocksDB deletes at its start what the MANIFEST does not name, so
// one that is older than the tables costs them: looked at before RocksDB opens. Format:
// docs/formats/cold-store.md, "RocksDB's own files".
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Of all column families together.
struct StoreVersion {
  RecordFileState state;            ///< of the MANIFEST's records
  std::set<std::uint64_t> tables;   ///< numbers of those that its whole records leave named
  bool is_read = true;              ///< false: a record is of no known form, tables may be missing
  std::uint64_t last_sequence = 0;  ///< every write up to this one is in a table or in a log

  /// All of it is there but, at most, an end that a kill cut off.
  bool is_whole() const { return state.records > 0 && state.damaged_passages == 0 && is_read; }
};

/// kUnavailable where the file cannot be read.
Result<StoreVersion> read_version(const std::string& path);

/// Applies one record, a version edit, to the tables named so far. False where it is of no known
/// form; what it said up to there is not applied.
bool apply_edit(std::string_view record, std::set<std::uint64_t>& tables);
bool apply_edit(std::string_view record, StoreVersion& version);

}  // namespace vigia::storage::store::rocksdb::kv
