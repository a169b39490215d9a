#include "services/storage/store_kinds.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "services/storage/store/cassandra/cassandra_instance.hpp"
#include "services/storage/store/cassandra/customer_removal.hpp"
#include "services/storage/store/cassandra/keyspace_check.hpp"
#include "services/storage/store/cassandra/keyspace_contents.hpp"
#include "services/storage/store/rocksdb/customer_removal.hpp"
#include "services/storage/store/rocksdb/rocksdb_contents.hpp"
#include "services/storage/store/rocksdb/rocksdb_instance.hpp"

namespace vigia::storage {
namespace {

constexpr StoreKind kKinds[] = {
    {"rocksdb",
     [](const StoreSettings& settings) -> const std::string& { return settings.rocksdb.directory; },
     [](const StoreSettings& settings, const Clock& clock, std::size_t index_memory_max) {
       return store::rocksdb::RocksDbInstance::open(settings.rocksdb, clock, index_memory_max);
     },
     [](const StoreSettings& settings, const auto& progress) {
       return store::rocksdb::RocksDbInstance::check(settings.rocksdb, progress);
     },
     store::rocksdb::open_contents, nullptr,
     [](const std::string& directory) {
       StoreSettings settings;
       settings.rocksdb.directory = directory;
       return settings;
     },
     store::rocksdb::remove_customer},
    {"cassandra",
     [](const StoreSettings& settings) -> const std::string& {
       return settings.cassandra.directory;
     },
     [](const StoreSettings& settings, const Clock& clock, std::size_t index_memory_max) {
       return store::cassandra::CassandraInstance::open(settings.cassandra, clock,
                                                        index_memory_max);
     },
     [](const StoreSettings& settings, const auto& progress) {
       return store::cassandra::check_keyspace(settings.cassandra, progress);
     },
     nullptr,
     [](const StoreSettings& settings) {
       return store::cassandra::open_contents(settings.cassandra);
     },
     nullptr, nullptr,
     [](const StoreSettings& settings, const CustomerId& customer) {
       return store::cassandra::open_removal(settings.cassandra, customer);
     }},
};

}  // namespace

std::span<const StoreKind> store_kinds() { return kKinds; }

Result<const StoreKind*> kind_in(const std::string& directory) {
  for (const StoreKind& kind : store_kinds()) {
    if (kind.look == nullptr) continue;
    const auto contents = kind.look(directory);
    if (contents) return &kind;
    if (contents.error().code != ErrorCode::kNotFound) return forward(contents);
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("there is no store in {} whose rows lie there", directory));
}

Result<std::unique_ptr<instance::FolderContents>> look_into(const std::string& directory) {
  const auto kind = kind_in(directory);
  if (!kind) return forward(kind);
  return (*kind)->look(directory);
}

Result<const StoreKind*> find_store_kind(std::string_view name, std::span<const StoreKind> kinds) {
  const auto at = std::find_if(kinds.begin(), kinds.end(),
                               [&](const StoreKind& kind) { return kind.name == name; });
  if (at != kinds.end()) return &*at;
  std::string all;
  for (const StoreKind& kind : kinds) all += fmt::format(" {}", kind.name);
  return fail(ErrorCode::kInvalid,
              fmt::format("there is no cold store of kind {}; there are:{}", name, all));
}

}  // namespace vigia::storage
