// OrderedStore on RocksDB: a column family for each key space, and a thread that mends what is
// damaged.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/rocksdb/kv/damage_queue.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/rocksdb/kv/quarantine.hpp"
#include "services/storage/store/rocksdb/kv/repeated_trouble.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_scan.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/kv/row_saver.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"
#include "services/storage/store/rocksdb/kv/store_mark.hpp"
#include "services/storage/store/rocksdb/kv/table_scrubber.hpp"
#include "services/storage/store/rocksdb/kv/write_gate.hpp"

namespace rocksdb {
class Cache;
class DB;
class Slice;
class Status;
class WriteBatch;
struct WriteOptions;
}  // namespace rocksdb

namespace vigia::storage::store::rocksdb::kv {

/// In errors: what room on the disk is wanted for, and why a folder cannot be opened now.
inline constexpr std::string_view kToMend = "to set a damaged file aside";
inline constexpr std::string_view kHeldElsewhere = "another process holds";

::rocksdb::Slice slice(std::string_view text);

/// Thread contract: as OrderedStore; what is the mender's is its own thread's alone.
class RocksDbStore final : public CopyableStore {
 public:
  explicit RocksDbStore(const RocksDbSettings& settings);
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;
  ~RocksDbStore() override;
  /// Once, before any other call.
  Result<void> open();

  Result<void> put(const std::vector<KeyValue>& writes, Durability durability) override;
  Result<std::size_t> put_unchanged(const std::vector<GuardedWrite>& writes) override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) override;
  Result<std::vector<bool>> contains(Family family,
                                     const std::vector<std::string_view>& keys) override;
  std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) override;
  std::unique_ptr<Scan> scan_back(Family family, std::string_view from,
                                  std::string_view to) override;
  Result<void> sync() override;
  Result<void> drop_range(Family family, std::string_view from, std::string_view to) override;
  Result<void> set_aside(const std::vector<KeyValue>& rows, std::string_view reason) override;
  Result<void> compact() override;
  Result<void> copy_to(const std::string& directory) override;
  std::uint64_t disk_bytes(Family family) const override;
  DamageStats damage() const override;
  std::uint64_t repairs() const override { return repairs_; }
  bool is_writable() const override { return is_writable_ && has_room_; }

 private:
  Result<void> save_index();
  std::shared_ptr<Opened> current() const;

  Result<void> look_for_some(Opened& opened, Family family,
                             const std::vector<std::string_view>& keys,
                             std::vector<bool>& is_there);
  Result<void> write_batch(Opened& opened, ::rocksdb::WriteBatch& batch, Durability durability);
  Result<void> write_inside(Opened& opened, ::rocksdb::WriteBatch& batch,
                            const ::rocksdb::WriteOptions& options);

  /// Opens the database, each table that keeps it from opening taken out first; as a last resort
  /// its MANIFEST made anew.
  Result<void> open_database(StoreFolder& folder);
  bool mend_unreadable_tables();
  ::rocksdb::Status try_open();

  /// What the logs should have given and did not.
  Result<void> compare_with_mark(const StoreFolder& folder);
  Result<void> ask_for_healing();
  Result<void> note_healing();
  Result<void> note_healing_on_disk();
  void note_manifest(::rocksdb::DB& db);
  void run();
  void mend(DamageQueue::Found found);
  void put_off(const DamageQueue::Found& found, const Result<void>& why);
  void hold_compactions(std::uint64_t table);
  void let_compactions_go(const Opened& opened);
  void settle(std::uint64_t table);
  void name_unknown(DamageQueue::Found& found);
  Result<void> copy_tables(const DamageQueue::Found& found);

  /// Writes the readable rows of a table anew, as they stand in the database now, before the table
  /// goes: so that none is missing meanwhile. Those that cannot be told come with save_table.
  Result<void> copy_rows(std::uint64_t table);
  bool is_live(std::uint64_t table) const;

  std::uint64_t find_damaged_table();
  std::vector<ScrubTable> live_tables() const;
  Result<void> check_table(std::uint64_t table) const;
  void start_scrubber();
  bool close_database();
  void reopen();
  void let_others_in();
  void report_unsaved(const Result<void>& done);
  Result<void> save_unfinished(bool wants_index_only);
  Result<std::uint64_t> apply_record(std::string_view record);

  const RocksDbSettings settings_;
  const std::shared_ptr<::rocksdb::Cache> cache_;  // shared by the families: RocksDB wants it so
  const SystemClock clock_;
  DamageQueue damage_{clock_};
  RepeatedTrouble trouble_{clock_};
  std::set<std::uint64_t> copied_;  // the mender's: tables whose rows are written anew, still live
  Quarantine quarantine_;
  StoreMark mark_;
  std::atomic<std::uint64_t> repairs_{0};
  std::atomic<bool> is_writable_{true};  // the last write was taken
  std::atomic<bool> has_room_{true};
  std::mutex manifest_mutex_;  // of its copy; never waited for with RocksDB's own locks
  WriteGate gate_;
  bool lacks_logs_ = false;               // the mender's
  bool holds_compactions_ = false;        // the mender's: of some family
  bool wants_healing_ = false;            // the mender's: on disk, not yet asked for
  std::atomic<bool> is_withheld_{false};  // the database is there for the mender alone
  // The mender's.
  RowSaver saver_{*this,
                  quarantine_,
                  settings_.directory,
                  {[this](std::string_view record) { return apply_record(record); },
                   [this] { return note_healing(); },
                   [this](const Result<void>& saved) { report_unsaved(saved); }}};
  mutable std::mutex mutex_;
  std::shared_ptr<Opened> opened_;  // null while a table is taken out
  std::thread mender_;
  std::unique_ptr<TableScrubber> scrubber_;  // null: none; ends first
};

}  // namespace vigia::storage::store::rocksdb::kv
