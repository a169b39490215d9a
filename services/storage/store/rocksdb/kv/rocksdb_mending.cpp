// RocksDbStore: the mender, which takes damaged tables out and writes their rows anew, and what the
// scrubber asks for, which finds such tables for it.
#include <algorithm>
#include <fstream>

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include "services/storage/store/rocksdb/kv/mended_rows.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

// Of the bytes of rows that are written anew: in the log, and in the table it becomes.
constexpr std::uint64_t kRowCopies = 2;

}  // namespace

// Damage that shows only now is mended on the way.
Result<void> RocksDbStore::save_index() {
  for (;;) {
    auto saved = save_unfinished(true);
    const DamageQueue::Found found = damage_.wait(Duration(0));
    if (saved || found.empty()) return saved;
    mend(found);
  }
}

// Nothing is read or written for it on a disk without room for all that it needs.
void RocksDbStore::mend(DamageQueue::Found found) {
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

void RocksDbStore::put_off(const DamageQueue::Found& found, const Result<void>& why) {
  report_unsaved(why);
  for (const auto& [table, reason] : found) {
    damage_.put_off(table, reason);
    hold_compactions(table);
  }
}

// Each try of one that has a damaged table in it writes up to the damage, and in vain. Until the
// database is opened anew, or the table is gone by itself.
void RocksDbStore::hold_compactions(std::uint64_t table) {
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

void RocksDbStore::let_compactions_go(const Opened& opened) {
  holds_compactions_ = !opened.db->EnableAutoCompaction(opened.handles).ok();
}

void RocksDbStore::settle(std::uint64_t table) {
  damage_.settle(table);
  copied_.erase(table);
}

// In the place of a table that is not known the one that is found to be damaged.
void RocksDbStore::name_unknown(DamageQueue::Found& found) {
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
Result<void> RocksDbStore::copy_tables(const DamageQueue::Found& found) {
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

Result<void> RocksDbStore::copy_rows(std::uint64_t table) {
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
    return tl::unexpected<Error>(read.error());
  }
  return rows.finish();
}

// One that a walk from before speaks of may be gone.
bool RocksDbStore::is_live(std::uint64_t table) const {
  const auto opened = current();
  std::vector<::rocksdb::LiveFileMetaData> tables;
  if (opened != nullptr) opened->db->GetLiveFilesMetaData(&tables);
  return std::any_of(tables.begin(), tables.end(), [&](const ::rocksdb::LiveFileMetaData& live) {
    return table_in(live.relative_filename) == table;
  });
}

// All tables are read for it: only where RocksDB does not say which one it is.
std::uint64_t RocksDbStore::find_damaged_table() {
  const auto opened = current();
  if (opened == nullptr) return 0;
  std::vector<::rocksdb::LiveFileMetaData> tables;
  opened->db->GetLiveFilesMetaData(&tables);
  for (const ::rocksdb::LiveFileMetaData& table : tables) {
    const std::string path = settings_.directory + "/" + table.relative_filename;
    if (const auto footer = check_table_footer(path); !footer) {
      if (footer.error().code == ErrorCode::kCorrupt) return table_in(table.relative_filename);
      continue;  // the disk does not read it now
    }
    ::rocksdb::SstFileReader reader((::rocksdb::Options()));
    auto status = reader.Open(path);
    if (status.ok()) status = reader.VerifyChecksum();
    if (status.IsCorruption()) return table_in(table.relative_filename);
  }
  return 0;
}

std::vector<ScrubTable> RocksDbStore::live_tables() const {
  std::vector<ScrubTable> tables;
  const auto opened = current();
  if (opened == nullptr) return tables;
  std::vector<::rocksdb::LiveFileMetaData> live;
  opened->db->GetLiveFilesMetaData(&live);
  tables.reserve(live.size());
  for (const auto& table : live) {
    tables.push_back({table_in(table.relative_filename), table.size});
  }
  return tables;
}

// By its file and not through the database, whose cache keeps what others have asked for.
Result<void> RocksDbStore::check_table(std::uint64_t table) const {
  const std::string path = settings_.directory + "/" + table_name(table);
  Result<void> checked;
  if (!std::ifstream(path)) {  // too many open files, say: no table is set aside for that
    checked = fail(ErrorCode::kUnavailable, path + " cannot be opened");
  } else if (checked = check_table_footer(path); checked) {
    checked = check_table_checksums(path);
  }
  // A compaction may have deleted it meanwhile: what is no more is no damage.
  return is_live(table) ? checked : Result<void>();
}

void RocksDbStore::start_scrubber() {
  if (settings_.scrub == Duration(0)) return;
  ScrubbedStore tables{[this] { return live_tables(); },
                       [this](std::uint64_t table) { return check_table(table); },
                       [this](std::uint64_t table, const std::string& reason) {
                         damage_.add(table, "met by the scrub: " + reason);
                       }};
  scrubber_ = std::make_unique<TableScrubber>(
      std::move(tables), settings_.directory + "/" + std::string(kScrubFile), settings_.scrub);
  scrubber_->start(settings_.scrub_wait);
}
}  // namespace vigia::storage::store::rocksdb::kv
