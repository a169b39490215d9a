#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>

#include "libs/base/clock.hpp"
#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/damage_queue.hpp"
#include "services/storage/store/rocksdb/kv/flipped_bits.hpp"
#include "services/storage/store/rocksdb/kv/mended_rows.hpp"
#include "services/storage/store/rocksdb/kv/repeated_trouble.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_scan.hpp"
#include "services/storage/store/rocksdb/kv/row_saver.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"
#include "services/storage/store/rocksdb/kv/write_gate.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr int kCacheShardBits = 3;
// Of one look for many keys: how many, and the values that it may hold on the way.
constexpr std::size_t kContainsKeys = 256;
constexpr std::uint64_t kContainsValueBytes = 4U << 20U;
// How often the mark of the MANIFEST is written, and a store that refuses is tried again.
constexpr auto kTick = std::chrono::seconds(2);
constexpr auto kEndPoll = std::chrono::milliseconds(2);
// Free space below which writes are about to fail.
constexpr std::uint64_t kFreeBytesMin = 4U << 20U;
/// Says to the index that rows of its may be gone: index_key::kHeal.
constexpr std::string_view kHealKey = "m/heal";
// Of the bytes of rows that are written anew: in the log, and in the table it becomes.
constexpr std::uint64_t kRowCopies = 2;
constexpr std::string_view kToMend = "to set a damaged file aside";
constexpr std::string_view kHeldElsewhere = "another process holds";
constexpr std::string_view kProbeKey = "probe";

::rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

// What a log's writes become: puts gathered into one batch, in order with the deletions.
::rocksdb::Status add_write(const Opened& opened, const LoggedWrite& write,
                            ::rocksdb::WriteBatch& batch) {
  if (write.family >= kFamilies) return ::rocksdb::Status::OK();
  ::rocksdb::ColumnFamilyHandle* handle = opened.handles[write.family];
  switch (write.kind) {
    case LoggedWrite::Kind::kPut:
      return batch.Put(handle, slice(write.key), slice(write.value));
    case LoggedWrite::Kind::kDelete:
      return batch.Delete(handle, slice(write.key));
    case LoggedWrite::Kind::kDeleteRange:
      return batch.DeleteRange(handle, slice(write.key), slice(write.value));
  }
  return ::rocksdb::Status::OK();
}

class RocksDbStore final : public OrderedStore {
 public:
  explicit RocksDbStore(const RocksDbSettings& settings)
      : settings_(settings),
        cache_(::rocksdb::NewLRUCache(settings.cache_bytes, kCacheShardBits)),
        quarantine_(settings.directory + "/quarantine"),
        mark_(settings.directory + "/vigia-mark") {}
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;
  ~RocksDbStore() override {
    damage_.stop();
    if (mender_.joinable()) mender_.join();
    if (const auto opened = current()) note_manifest(*opened->db);
  }

  /// Once, before any other call.
  Result<void> open() {
    if (auto room = check_room(settings_.directory); !room) return room;
    StoreFolder folder(settings_.directory, quarantine_, mark_);
    if (auto prepared = folder.prepare(); !prepared) return prepared;
    if (auto opened = open_database(folder); !opened) return opened;
    if (auto compared = compare_with_mark(folder); !compared) return compared;
    if (auto saved = save_index(); !saved) return saved;
    mender_ = std::thread([this] { run(); });
    return {};
  }

  // Damage that shows only now is mended on the way.
  Result<void> save_index() {
    for (;;) {
      auto saved = save_unfinished(true);
      const DamageQueue::Found found = damage_.wait(Duration(0));
      if (saved || found.empty()) return saved;
      mend(found);
    }
  }

  Result<void> put(const std::vector<KeyValue>& writes, Durability durability) override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    ::rocksdb::WriteBatch batch;
    for (const KeyValue& write : writes) {
      auto* family = opened->handle(write.family);
      const auto status = write.is_gone ? batch.Delete(family, slice(write.key))
                                        : batch.Put(family, slice(write.key), slice(write.value));
      if (!status.ok()) return failure(damage_, status);
    }
    return write_batch(*opened, batch, durability);
  }

  Result<std::size_t> put_unchanged(const std::vector<GuardedWrite>& writes) override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    // RocksDB has no conditional write outside its transactions, which would cost each write: alone
    // in the gate, nothing can change a row between the look at it and the batch.
    const auto entered = gate_.enter_alone();
    ::rocksdb::WriteBatch batch;
    for (const GuardedWrite& write : writes) {
      const auto now = get(write.row.family, write.row.key);
      if (!now) return forward(now);
      if (*now != write.read) continue;
      const auto status =
          batch.Put(opened->handle(write.row.family), slice(write.row.key), slice(write.row.value));
      if (!status.ok()) return failure(damage_, status);
    }
    const auto count = static_cast<std::size_t>(batch.Count());
    if (count == 0) return count;
    if (auto written = write_inside(*opened, batch, {}); !written) return forward(written);
    return count;
  }

  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    std::string value;
    const auto status =
        opened->db->Get(::rocksdb::ReadOptions(), opened->handle(family), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return failure(damage_, status);
    return std::optional<std::string>(std::move(value));
  }

  Result<std::vector<bool>> contains(Family family,
                                     const std::vector<std::string_view>& keys) override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    std::vector<bool> is_there;
    is_there.reserve(keys.size());
    while (is_there.size() < keys.size()) {
      const auto looked = look_for_some(*opened, family, keys, is_there);
      if (!looked) return forward(looked);
    }
    return is_there;
  }

  std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) override {
    return make_scan(current(), damage_, {family, from, to});
  }

  Result<void> sync() override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    // Read before the sync, never after: a write that comes while it runs may miss it, and a mark
    // that counts such a write would call a whole log torn after a crash.
    const std::uint64_t sequence = opened->db->GetLatestSequenceNumber();
    const ::rocksdb::Status status = opened->db->SyncWAL();
    if (!status.ok()) return failure(damage_, status);
    mark_.note_synced(sequence);
    return {};
  }

  Result<void> drop_range(Family family, std::string_view from, std::string_view to) override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    const ::rocksdb::Slice begin = slice(from);
    const ::rocksdb::Slice end = slice(to);
    auto* handle = opened->handle(family);
    const auto entered = gate_.enter();
    // Whole files go first, which costs no reading; the tombstone then covers only what is left in
    // files that reach beyond the range.
    auto status = ::rocksdb::DeleteFilesInRange(opened->db.get(), handle, &begin, &end, false);
    if (status.ok()) {
      status = opened->db->DeleteRange(::rocksdb::WriteOptions(), handle, begin, end);
    }
    if (!status.ok()) return failure(damage_, status);
    note_manifest(*opened->db);
    return {};
  }

  Result<void> set_aside(const std::vector<KeyValue>& rows, std::string_view reason) override {
    const auto taken = quarantine_.take_rows(rows);
    if (!taken) return forward(taken);
    // The copy is on disk before the rows go. A crash in between leaves both: the rows are met
    // again and copied a second time, and the first copy stays without a note.
    std::vector<KeyValue> gone = rows;
    for (KeyValue& row : gone) row = {row.family, std::move(row.key), "", true};
    if (auto put_gone = put(gone, Durability::kNow); !put_gone) {
      quarantine_.release(*taken);
      return put_gone;
    }
    const Family family = rows.front().family;
    if (family == Family::kIndex || family == Family::kIdentity) ++repairs_;
    quarantine_.note(*taken, {"row", kFamilyNames[static_cast<std::size_t>(family)],
                              std::string(reason), "these rows", rows.size(), 0});
    return {};
  }

  Result<void> compact() override {
    const auto opened = current();
    if (opened == nullptr) return mending();
    ::rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = ::rocksdb::BottommostLevelCompaction::kForce;
    for (auto* family : opened->handles) {
      auto status = opened->db->Flush(::rocksdb::FlushOptions(), family);
      if (status.ok()) status = opened->db->CompactRange(options, family, nullptr, nullptr);
      if (!status.ok()) return failure(damage_, status);
    }
    return {};
  }

  std::uint64_t disk_bytes(Family family) const override {
    const auto opened = current();
    std::uint64_t bytes = 0;
    if (opened != nullptr) {
      opened->db->GetIntProperty(opened->handle(family),
                                 ::rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
    }
    return bytes;
  }

  DamageStats damage() const override {
    return {quarantine_.found(), quarantine_.rows_lost(),     quarantine_.rows_saved(),
            quarantine_.files(), quarantine_.unsaved_files(), repairs_};
  }
  std::uint64_t repairs() const override { return repairs_; }
  bool is_writable() const override { return is_writable_ && has_room_; }

 private:
  std::shared_ptr<Opened> current() const {
    // To the mender the database is open: it must write what it saved before others look.
    if (is_withheld_ && std::this_thread::get_id() != mender_.get_id()) return nullptr;
    const std::lock_guard lock(mutex_);
    return opened_;
  }

  // Looks for the keys from is_there.size() on: at least one of them, as many as the values' bound
  // allows.
  Result<void> look_for_some(Opened& opened, Family family,
                             const std::vector<std::string_view>& keys,
                             std::vector<bool>& is_there) {
    const std::size_t first = is_there.size();
    const std::size_t count = std::min(keys.size() - first, kContainsKeys);
    std::array<::rocksdb::Slice, kContainsKeys> wanted;
    std::array<::rocksdb::PinnableSlice, kContainsKeys> values;
    std::array<::rocksdb::Status, kContainsKeys> statuses;
    for (std::size_t i = 0; i < count; ++i) wanted[i] = slice(keys[first + i]);
    ::rocksdb::ReadOptions options;
    options.value_size_soft_limit = kContainsValueBytes;
    opened.db->MultiGet(options, opened.handle(family), count, wanted.data(), values.data(),
                        statuses.data());
    for (std::size_t i = 0; i < count; ++i) {
      if (statuses[i].IsAborted()) break;  // past the bound; those behind come the next time
      if (!statuses[i].ok() && !statuses[i].IsNotFound()) return failure(damage_, statuses[i]);
      is_there.push_back(statuses[i].ok());
    }
    if (is_there.size() > first) return {};
    // A single value above the bound aborts even the first key: without this the caller would ask
    // for the same keys for ever.
    const auto value = get(family, keys[first]);
    if (!value) return forward(value);
    is_there.push_back(value->has_value());
    return {};
  }

  Result<void> write_batch(Opened& opened, ::rocksdb::WriteBatch& batch, Durability durability) {
    ::rocksdb::WriteOptions options;
    options.sync = durability == Durability::kNow;
    const auto entered = gate_.enter();
    return write_inside(opened, batch, options);
  }

  // Who calls it is inside the gate.
  Result<void> write_inside(Opened& opened, ::rocksdb::WriteBatch& batch,
                            const ::rocksdb::WriteOptions& options) {
    // Taken before the write, since another's writes may be numbered after these: the mark may say
    // too little, never too much.
    const std::uint64_t before = opened.db->GetLatestSequenceNumber();
    const ::rocksdb::Status status = opened.db->Write(options, &batch);
    is_writable_ = status.ok();
    if (!status.ok()) return failure(damage_, status);
    // Its own writes have at least the numbers that follow.
    if (options.sync) mark_.note_synced(before + static_cast<std::uint64_t>(batch.Count()));
    return {};
  }

  /// Opens the database, each table that keeps it from opening taken out first; as a last resort
  /// its MANIFEST made anew.
  Result<void> open_database(StoreFolder& folder) {
    std::uint64_t last_table = 0;
    for (;;) {
      const ::rocksdb::Status status = try_open();
      if (status.ok()) return {};
      const std::string text = status.ToString();
      if (status.IsIOError() && text.find("lock") != std::string::npos) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("cold store: {} {}", kHeldElsewhere, settings_.directory));
      }
      const std::uint64_t table = table_in(text);
      const bool is_damage = status.IsCorruption() || status.IsPathNotFound() ||
                             status.IsNotFound() || text.find("No such file") != std::string::npos;
      if (!is_damage) return fail(ErrorCode::kUnavailable, "cold store: " + text);
      // The same table named twice in a row means that dropping it did not help.
      if (table != 0 && table != last_table) {
        last_table = table;
        if (const auto dropped = folder.drop_table(table, text); dropped) continue;
      }
      if (mend_unreadable_tables()) continue;
      if (folder.is_rebuilt()) return fail(ErrorCode::kCorrupt, "cold store: " + text);
      if (auto rebuilt = folder.rebuild(text); !rebuilt) return rebuilt;
    }
  }

  // RocksDB does not say whose properties it cannot make out.
  bool mend_unreadable_tables() {
    bool is_any = false;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, error)) {
      if (entry.path().extension() != ".sst" || !check_table_footer(entry.path())) continue;
      ::rocksdb::SstFileReader reader((::rocksdb::Options()));
      if (!reader.Open(entry.path()).IsCorruption()) continue;
      if (mend_flipped_bits(entry.path()) == 0) continue;
      is_any = true;
      quarantine_.note("", {"table", entry.path().filename(), "a flipped bit is put right in it",
                            "nothing", 0, 0});
    }
    return is_any;
  }

  ::rocksdb::Status try_open() {
    std::vector<::rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : family_names()) {
      families.emplace_back(name, family_options(*family_named(name), settings_, cache_));
    }
    std::vector<::rocksdb::ColumnFamilyHandle*> handles;
    ::rocksdb::DB* raw = nullptr;
    const ::rocksdb::Status status = ::rocksdb::DB::Open(
        database_options(settings_, damage_, [this](::rocksdb::DB& db) { note_manifest(db); }),
        settings_.directory, families, &handles, &raw);
    if (!status.ok()) return status;
    auto opened = std::make_shared<Opened>(raw, std::move(handles));
    const std::lock_guard lock(mutex_);
    opened_ = std::move(opened);
    return status;
  }

  /// What the logs should have given and did not.
  Result<void> compare_with_mark(const StoreFolder& folder) {
    const auto opened = current();
    const std::uint64_t recovered = opened->db->GetLatestSequenceNumber();
    const std::uint64_t synced = mark_.values().synced_sequence;
    const bool is_short = !folder.is_rebuilt() && recovered < synced;
    if (is_short) {
      quarantine_.note(
          folder.torn_log(),
          {"wal_end", "the newest write-ahead log", "it ends before writes that were on disk",
           "spans, log records or rows of new series that were written last", synced - recovered,
           0});
    } else if (!folder.torn_log().empty()) {
      quarantine_.release(folder.torn_log());
    }
    if (mark_.is_damaged()) {
      quarantine_.note("", {"mark", "vigia-mark", "its checksum is wrong",
                            "whether the newest write-ahead log is whole cannot be told", 0, 0});
    }
    if (is_short || folder.is_rebuilt() || mark_.is_damaged()) mark_.reset(recovered);
    note_manifest(*opened->db);
    const bool is_index_at_risk = is_short || folder.log_rows_lost() > 0 || folder.is_rebuilt();
    return is_index_at_risk || mark_.is_damaged() ? ask_for_healing() : Result<void>();
  }

  // Once for all that was saved together: it is a walk through the whole index.
  Result<void> ask_for_healing() {
    wants_healing_ = false;
    ++repairs_;
    return note_healing_on_disk();
  }

  // A file is done with only when it is on disk that the index needs healing.
  Result<void> note_healing() {
    if (wants_healing_) return {};
    if (auto noted = note_healing_on_disk(); !noted) return noted;
    wants_healing_ = true;
    return {};
  }

  Result<void> note_healing_on_disk() {
    return put({{Family::kIndex, std::string(kHealKey), "1"}}, Durability::kNow);
  }

  // The copy first: the mark says no more than the copy has.
  void note_manifest(::rocksdb::DB& db) {
    const std::lock_guard lock(manifest_mutex_);
    std::vector<std::string> names;
    std::uint64_t bytes = 0;
    if (!db.GetLiveFiles(names, &bytes, false).ok()) return;
    constexpr std::string_view kPrefix = "/MANIFEST-";
    for (const std::string& name : names) {
      if (!name.starts_with(kPrefix)) continue;
      const std::uint64_t number = std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10);
      if (auto copied = copy_manifest(settings_.directory, number, bytes); !copied) {
        return report_unsaved(copied);
      }
      mark_.note_manifest(number, bytes);
    }
  }

  // The mender's thread.
  void run() {
    for (Duration patience{}; !damage_.is_stopping(); patience = kTick) {
      const DamageQueue::Found found = damage_.wait(patience);
      contain_faults("storage: mender", [&] {
        has_room_ = free_bytes(settings_.directory) >= kFreeBytesMin;
        if (!found.empty() && !damage_.is_stopping()) mend(found);
        if (current() == nullptr) reopen();
        const auto opened = current();
        if (opened == nullptr) return;
        if (holds_compactions_ && !damage_.has_put_off()) let_compactions_go(*opened);
        if (is_withheld_) return let_others_in();
        note_manifest(*opened->db);
        if (!is_writable_) {  // does it take writes again?
          (void)put({{Family::kIdentity, std::string(kProbeKey), ""}}, Durability::kNow);
        }
        if (is_writable_) report_unsaved(save_unfinished(false));
      });
    }
  }

  // Nothing is read or written for it on a disk without room for all that it needs.
  void mend(DamageQueue::Found found) {
    if (auto room = check_room(settings_.directory, 0, kToMend); !room) return put_off(found, room);
    name_unknown(found);
    std::erase_if(found, [this](const auto& table) {
      if (is_live(table.first)) return false;
      settle(table.first);
      return true;
    });
    if (found.empty()) return;
    if (auto copied = copy_tables(found); !copied) return put_off(found, copied);
    if (!close_database()) {
      return put_off(found, fail(ErrorCode::kUnavailable,
                                 "cold store: a read that is under way keeps a damaged file from "
                                 "being set aside"));
    }
    StoreFolder folder(settings_.directory, quarantine_, mark_);
    for (const auto& [table, reason] : found) {
      settle(table);
      if (const auto dropped = folder.drop_table(table, reason); !dropped) {
        report_unsaved(dropped);
        damage_.give_up(table);
      }
    }
    reopen();
  }

  void put_off(const DamageQueue::Found& found, const Result<void>& why) {
    report_unsaved(why);
    for (const auto& [table, reason] : found) {
      damage_.put_off(table, reason);
      hold_compactions(table);
    }
  }

  // Each try of one that has a damaged table in it writes up to the damage, and in vain. Until the
  // database is opened anew, or the table is gone by itself.
  void hold_compactions(std::uint64_t table) {
    const auto opened = current();
    if (opened == nullptr) return;
    std::vector<::rocksdb::LiveFileMetaData> tables;
    opened->db->GetLiveFilesMetaData(&tables);
    for (auto* handle : opened->handles) {
      const bool has_it = std::any_of(tables.begin(), tables.end(), [&](const auto& live) {
        return table_in(live.relative_filename) == table &&
               live.column_family_name == handle->GetName();
      });
      if (!has_it || opened->db->GetOptions(handle).disable_auto_compactions) continue;
      opened->db->SetOptions(handle, {{"disable_auto_compactions", "true"}}).PermitUncheckedError();
      holds_compactions_ = true;
    }
  }

  void let_compactions_go(const Opened& opened) {
    holds_compactions_ = !opened.db->EnableAutoCompaction(opened.handles).ok();
  }

  void settle(std::uint64_t table) {
    damage_.settle(table);
    copied_.erase(table);
  }

  // In the place of a table that is not known the one that is found to be damaged.
  void name_unknown(DamageQueue::Found& found) {
    const auto unknown = found.find(0);
    if (unknown == found.end()) return;
    const std::string reason = unknown->second;
    found.erase(unknown);
    damage_.settle(0);
    const std::uint64_t table = find_damaged_table();
    if (table == 0) {
      damage_.give_up(0);
      quarantine_.note("", {"unknown", "no file", reason, "what was read when it was met", 0, 0});
    } else {
      found.emplace(table, reason);
    }
  }

  // Each once, however often it is put off. An error where the disk has no room.
  Result<void> copy_tables(const DamageQueue::Found& found) {
    for (const auto& [table, reason] : found) {
      if (copied_.contains(table)) continue;
      const std::string path = settings_.directory + "/" + table_name(table);
      // Asked for each table, not for all at once: what a first one takes counts for the next.
      const std::uint64_t needed = kRowCopies * table_row_bytes(path);
      if (auto room = check_room(settings_.directory, needed, kToMend); !room) return room;
      const auto copied = copy_rows(table);
      if (copied) copied_.insert(table);
      report_unsaved(copied);  // what is missing comes with save_table
    }
    return check_room(settings_.directory, 0, kToMend);
  }

  /// Writes the readable rows of a table anew, as they stand in the database now, before the table
  /// goes: so that none is missing meanwhile. Those that cannot be told come with save_table.
  Result<void> copy_rows(std::uint64_t table) {
    MendedRows rows(*this);
    const auto copy = [&](const std::string& family, std::string_view key,
                          std::string_view) -> Result<void> {
      const auto known = family_named(family);
      if (!known.has_value() || damage_.is_stopping()) return {};
      auto value = get(*known, key);
      if (!value || !value->has_value()) return {};
      KeyValue row{*known, std::string(key), **value};
      return rows.add({std::move(row), std::move(*value)});
    };
    const auto read = read_table(settings_.directory + "/" + table_name(table), copy);
    if (!read && read.error().code != ErrorCode::kCorrupt) {
      return forward(read);
    }
    return rows.finish();
  }

  // One that a walk from before speaks of may be gone.
  bool is_live(std::uint64_t table) const {
    const auto opened = current();
    std::vector<::rocksdb::LiveFileMetaData> tables;
    if (opened != nullptr) opened->db->GetLiveFilesMetaData(&tables);
    return std::any_of(tables.begin(), tables.end(), [&](const ::rocksdb::LiveFileMetaData& live) {
      return table_in(live.relative_filename) == table;
    });
  }

  // All tables are read for it: only where RocksDB does not say which one it is.
  std::uint64_t find_damaged_table() {
    const auto opened = current();
    if (opened == nullptr) return 0;
    std::vector<::rocksdb::LiveFileMetaData> tables;
    opened->db->GetLiveFilesMetaData(&tables);
    for (const ::rocksdb::LiveFileMetaData& table : tables) {
      const std::string path = settings_.directory + "/" + table.relative_filename;
      if (!check_table_footer(path)) return table_in(table.relative_filename);
      ::rocksdb::SstFileReader reader((::rocksdb::Options()));
      auto status = reader.Open(path);
      if (status.ok()) status = reader.VerifyChecksum();
      if (status.IsCorruption()) return table_in(table.relative_filename);
    }
    return 0;
  }

  // False where a walk does not let it go.
  bool close_database() {
    std::shared_ptr<Opened> opened;
    {
      const std::lock_guard lock(mutex_);
      opened.swap(opened_);
    }
    if (opened == nullptr) return true;
    // Only the last holder may destroy the database. New callers get none from here on, and walks
    // end at their next step; a reader that stays longer than the patience wins, and the table
    // stays.
    opened->is_ending = true;
    const auto deadline = std::chrono::steady_clock::now() + settings_.end_patience;
    while (opened.use_count() > 1 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kEndPoll);
    }
    if (opened.use_count() == 1) return true;
    opened->is_ending = false;
    const std::lock_guard lock(mutex_);
    opened_ = std::move(opened);
    return false;
  }

  void reopen() {
    if (auto room = check_room(settings_.directory, 0, kToMend); !room) return report_unsaved(room);
    StoreFolder folder(settings_.directory, quarantine_, mark_);
    // Set before the database is visible: try_open() publishes it.
    is_withheld_ = true;
    if (auto opened = open_database(folder); !opened) {
      if (!trouble_.is_news(opened.error().message)) return;
      return service::log_error("the cold store cannot be opened again yet, trying again",
                                {{"error", opened.error().message}});
    }
    holds_compactions_ = false;
    note_manifest(*current()->db);
    lacks_logs_ = lacks_logs_ || folder.is_rebuilt();
    let_others_in();
  }

  // One that was made anew lacks what its logs held: newer writes must not come before that.
  void let_others_in() {
    if (lacks_logs_) {
      if (auto saved = save_unfinished(true); !saved) return report_unsaved(saved);
    }
    lacks_logs_ = false;
    // Before anybody else looks for what is gone, and takes it for new.
    report_unsaved(ask_for_healing());
    is_withheld_ = false;
  }

  // What is not done yet is tried again.
  void report_unsaved(const Result<void>& done) {
    if (done || !trouble_.is_news(done.error().message)) return;
    service::log_warn("a damaged file is not done with yet, trying again",
                      {{"error", done.error().message}});
  }

  Result<void> save_unfinished(bool wants_index_only) {
    if (auto saved = saver_.save(wants_index_only); !saved) return saved;
    return wants_healing_ ? ask_for_healing() : Result<void>();
  }

  // Of a log that was set aside: how many writes the record had. One that is none costs itself.
  Result<std::uint64_t> apply_record(std::string_view record) {
    const auto opened = current();
    if (opened == nullptr) return mending();
    ::rocksdb::WriteBatch batch;
    const auto added = read_write_batch(record, [&](const LoggedWrite& write) -> Result<void> {
      if (!add_write(*opened, write, batch).ok()) return mending();
      return {};
    });
    if (!added) return 0U;
    const auto count = static_cast<std::uint64_t>(batch.Count());
    if (auto written = write_batch(*opened, batch, Durability::kLater); !written) {
      return forward(written);
    }
    return count;
  }

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
};

}  // namespace

Result<std::unique_ptr<OrderedStore>> open_rocksdb(const RocksDbSettings& settings) {
  std::error_code error;
  std::filesystem::create_directories(settings.directory, error);
  if (error) {
    return fail(ErrorCode::kUnavailable, fmt::format("cold store: cannot make the folder {}: {}",
                                                     settings.directory, error.message()));
  }
  auto store = std::make_unique<RocksDbStore>(settings);
  auto opened = store->open();
  if (opened) return store;
  const bool is_held = opened.error().message.find(kHeldElsewhere) != std::string::npos;
  if (opened.error().code == ErrorCode::kUnavailable && !is_held) {
    opened.error().retry_after = std::chrono::seconds(1);
  }
  return forward(opened);
}

}  // namespace vigia::storage::store::rocksdb::kv
