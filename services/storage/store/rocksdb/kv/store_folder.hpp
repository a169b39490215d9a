// The folder of a RocksDB database while the database is closed: what is damaged in it is found and
// moved aside here, so that the database opens.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/storage/store/rocksdb/kv/quarantine.hpp"
#include "services/storage/store/rocksdb/kv/store_mark.hpp"
#include "services/storage/store/rocksdb/kv/store_version.hpp"

namespace vigia::storage::store::rocksdb::kv {

/// Thread contract: one thread, none while the database is open.
class StoreFolder {
 public:
  /// Both must outlive it.
  StoreFolder(std::string directory, Quarantine& quarantine, const StoreMark& mark)
      : directory_(std::move(directory)), quarantine_(quarantine), mark_(mark) {}

  /// Finds damage in CURRENT, the MANIFEST, the write-ahead logs and the tables' footers, and mends
  /// it. kUnavailable, naming the folder, where another process holds it.
  Result<void> prepare();
  /// Takes a table out of the database, its file into the quarantine, unfinished.
  Result<void> drop_table(std::uint64_t number, const std::string& reason);
  /// Moves tables and write-ahead logs into the quarantine, unfinished, so that an empty database
  /// opens: their rows are to be written anew.
  Result<void> rebuild(const std::string& reason);

  /// Rows that are gone from the write-ahead logs, found by prepare.
  std::uint64_t log_rows_lost() const { return log_rows_lost_; }
  /// A copy of the newest write-ahead log where it ends in bytes that are no record: a kill does
  /// that, or damage. "" where it does not.
  const std::string& torn_log() const { return torn_log_; }
  bool is_rebuilt() const { return is_rebuilt_; }

 private:
  struct CheckedLog;
  struct ManifestCopy;
  // Numbers of tables by which a version and the folder differ.
  struct Differences {
    std::set<std::uint64_t> missing;  // named, but not there
    std::set<std::uint64_t> unnamed;  // there, but not named
  };

  Result<void> check_files(bool& needs_rebuild, std::string& reason);
  Result<void> check_current(bool& needs_rebuild, std::string& reason);
  Result<void> check_manifest(bool& needs_rebuild, std::string& reason);
  std::string manifest_fault(const std::string& name, const StoreVersion& version,
                             const ManifestCopy& copy) const;
  bool has_been_longer(const std::string& name, const StoreVersion& version) const;
  Result<bool> keep_manifest(const StoreVersion& version, bool is_marked);
  Result<bool> restore_manifest(const std::string& name, const ManifestCopy& copy,
                                const std::string& reason);
  Result<bool> use_restored(const std::string& name, const std::string& draft,
                            const std::string& reason);
  ManifestCopy read_copy(const std::string& name) const;
  bool is_marked(const std::string& name) const;
  // It was in use before the one of the mark: rows of the index that newer tables hold are not to
  // be older again by it.
  bool is_before_marked(const std::string& name) const;
  Differences compare(const StoreVersion& version) const;
  bool names_index_table(const std::set<std::uint64_t>& tables) const;
  Result<void> take_unnamed(const Differences& differences, bool wants_unfinished);
  Result<void> check_logs();
  Result<CheckedLog> read_log(const std::string& name, std::uint64_t expected) const;
  Result<void> rewrite_log(const std::string& name, const CheckedLog& log, bool is_damage);
  Result<void> check_footers();
  Result<std::optional<std::set<std::uint64_t>>> named_tables() const;
  struct TakenTable {
    std::uint64_t number = 0;
    std::string reason;
    std::string file;  // in the quarantine; "" where there was none
  };
  Result<TakenTable> take_table(std::uint64_t number, const std::string& reason);
  Result<void> drop_taken(const TakenTable& table);
  Result<void> remove_from_manifest(std::uint64_t number);
  std::vector<std::string> files(const std::string& prefix, const std::string& ending) const;
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  const std::string directory_;
  Quarantine& quarantine_;
  const StoreMark& mark_;
  std::uint64_t log_rows_lost_ = 0;
  std::string torn_log_;
  bool is_rebuilt_ = false;
};

/// Brings the copy of the MANIFEST, of which `bytes` are on disk, up to date.
Result<void> copy_manifest(const std::string& directory, std::uint64_t number, std::uint64_t bytes);
std::string manifest_copy(const std::string& directory, std::uint64_t number);

/// The number of the last write of a record of a write-ahead log; 0 where it has none.
std::uint64_t last_sequence_of(std::string_view record);

/// Of its first one.
std::uint64_t first_sequence_of(std::string_view record);

/// "000012.sst"
std::string table_name(std::uint64_t number);
/// The number of the first table that a text of RocksDB's names; 0 where it names none.
std::uint64_t table_in(const std::string& text);

}  // namespace vigia::storage::store::rocksdb::kv
