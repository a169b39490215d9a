// Which kinds of cold store there are: the one place that names them. Another is one more row.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "services/storage/instance/customer_removal.hpp"
#include "services/storage/instance/folder_contents.hpp"
#include "services/storage/instance/store_instance.hpp"
#include "services/storage/store/cassandra/settings.hpp"
#include "services/storage/store/check_report.hpp"
#include "services/storage/store/rocksdb/kv/settings.hpp"

namespace vigia::storage {

/// The settings of each kind; those of the others are not looked at.
struct StoreSettings {
  std::string_view kind = "rocksdb";
  store::rocksdb::kv::RocksDbSettings rocksdb;
  store::cassandra::CassandraSettings cassandra;
};

struct StoreKind {
  std::string_view name;
  /// The folder of this instance, in which the write-ahead log, the quarantine and the identity
  /// lie; a kind that keeps its rows elsewhere has one all the same.
  const std::string& (*directory)(const StoreSettings& settings);
  /// Takes the store; as StoreInstance says, `load` comes next. `index_memory_max`: for what is
  /// known of series without asking the store.
  Result<std::unique_ptr<instance::StoreInstance>> (*open)(const StoreSettings& settings,
                                                           const Clock& clock,
                                                           std::size_t index_memory_max);
  /// Reads what lies in the folder, or in the tables that the settings name, and changes nothing;
  /// damage is part of the report. `progress` is told before each file, or table, with how many are
  /// left. kUnavailable where a process holds the folder, or the machines do not answer.
  Result<store::CheckReport> (*check)(
      const StoreSettings& settings,
      const std::function<void(const std::string& file, std::size_t left)>& progress);
  /// Opens the folder of a closed store to be looked at, and changes nothing. kNotFound where no
  /// store of the kind lies there, kUnavailable where a process holds it. Null where its rows lie
  /// elsewhere.
  Result<std::unique_ptr<instance::FolderContents>> (*look)(const std::string& directory) = nullptr;
  /// Likewise, of the tables that the settings name, where the rows lie elsewhere.
  Result<std::unique_ptr<instance::FolderContents>> (*look_at_tables)(
      const StoreSettings& settings) = nullptr;
  /// The settings of a store of the kind in a folder, all else by default. Null as `look`.
  StoreSettings (*in_folder)(const std::string& directory) = nullptr;
  /// Null as `look`.
  instance::RemoveCustomer remove = nullptr;
  /// Takes a customer out of a store that several instances share; null where `remove` is not.
  Result<std::unique_ptr<instance::SharedRemoval>> (*open_removal)(
      const StoreSettings& settings, const CustomerId& customer) = nullptr;
};

std::span<const StoreKind> store_kinds();

/// The kind whose rows lie in the folder. kNotFound where there are none, kUnavailable where a
/// process holds it.
Result<const StoreKind*> kind_in(const std::string& directory);
/// StoreKind::look of the kind that lies in the folder.
Result<std::unique_ptr<instance::FolderContents>> look_into(const std::string& directory);

/// kInvalid, naming all there are, for a kind that is none of `kinds`.
Result<const StoreKind*> find_store_kind(std::string_view name,
                                         std::span<const StoreKind> kinds = store_kinds());

}  // namespace vigia::storage
