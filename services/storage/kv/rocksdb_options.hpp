// How RocksDB is set up here: the options of the database and its column families.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include "libs/base/result.hpp"
#include "services/storage/kv/ordered_store.hpp"
#include "services/storage/kv/rocksdb_store.hpp"

namespace vigia::storage {

/// By their numbers, in messages; RocksDB knows the first one by a name of its own (family_names).
inline constexpr std::array<const char*, kFamilies> kFamilyNames = {"index", "chunks", "spans",
                                                                    "logs", "identity"};

/// As RocksDB knows them, in the order of their numbers.
std::vector<std::string> family_names();
std::optional<Family> family_named(const std::string& name);

rocksdb::ColumnFamilyOptions family_options(const RocksDbSettings& settings,
                                            const std::shared_ptr<rocksdb::Cache>& cache);
/// With `listener` told what happens in the database; shared because RocksDB wants it so.
rocksdb::DBOptions database_options(const RocksDbSettings& settings,
                                    std::shared_ptr<rocksdb::EventListener> listener);

/// Free on the disk of `directory`; 0 where that cannot be told.
std::uint64_t free_bytes(const std::string& directory);
/// kUnavailable where the disk has no room for what a start writes.
Result<void> check_room(const std::string& directory);

}  // namespace vigia::storage
