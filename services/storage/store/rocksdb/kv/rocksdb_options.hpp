// How RocksDB is set up here: the options of the database and its column families.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/rocksdb/kv/damage_queue.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace rocksdb {
class Cache;
class DB;
struct ColumnFamilyOptions;
struct DBOptions;
}  // namespace rocksdb

namespace vigia::storage::store::rocksdb::kv {

/// By their numbers, in messages; RocksDB knows the first one by a name of its own (family_names).
inline constexpr std::array<const char*, kFamilies> kFamilyNames = {
    "index",     "chunks",    "spans", "logs",      "identity", "rollup_5m",
    "rollup_1h", "rollup_1d", "due",   "exemplars", "metadata"};

/// As RocksDB knows them, in the order of their numbers.
std::vector<std::string> family_names();
std::optional<Family> family_named(const std::string& name);

/// The index, the copies of its rows, roll-ups, exemplars and metadata have smaller write buffers
/// than the rest.
::rocksdb::ColumnFamilyOptions family_options(Family family, const RocksDbSettings& settings,
                                              const std::shared_ptr<::rocksdb::Cache>& cache);
/// Damage that RocksDB meets by itself goes to `damage`. `on_version` is called, on threads of
/// RocksDB's, after each flush and compaction, before the files are deleted that these made
/// superfluous. All that is given must outlive the database.
::rocksdb::DBOptions database_options(const RocksDbSettings& settings, DamageQueue& damage,
                                      std::function<void(::rocksdb::DB&)> on_version);

/// Free on the disk of `directory`; 0 where that cannot be told.
std::uint64_t free_bytes(const std::string& directory);
/// kUnavailable where the disk has no room for what a start writes and `more` bytes. `purpose`, for
/// the error: "to start".
Result<void> check_room(const std::string& directory, std::uint64_t more = 0,
                        std::string_view purpose = "to start");

}  // namespace vigia::storage::store::rocksdb::kv
