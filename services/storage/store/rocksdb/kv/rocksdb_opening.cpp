// RocksDbStore: opening and closing the database, and what its logs owe.
#include <filesystem>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>

#include "libs/service/log.hpp"
#include "services/storage/store/rocksdb/kv/flipped_bits.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr auto kEndPoll = std::chrono::milliseconds(2);
/// Says to the index that rows of its may be gone: index_key::kHeal.
constexpr std::string_view kHealKey = "m/heal";

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

}  // namespace

Result<void> RocksDbStore::open_database(StoreFolder& folder) {
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
bool RocksDbStore::mend_unreadable_tables() {
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

::rocksdb::Status RocksDbStore::try_open() {
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

Result<void> RocksDbStore::compare_with_mark(const StoreFolder& folder) {
  const auto opened = current();
  const std::uint64_t recovered = opened->db->GetLatestSequenceNumber();
  const std::uint64_t synced = mark_.values().synced_sequence;
  const bool is_short = !folder.is_rebuilt() && recovered < synced;
  if (is_short) {
    quarantine_.note(
        folder.torn_log(),
        {"wal_end", "the newest write-ahead log", "it ends before writes that were on disk",
         "spans, log records or rows of new series that were written last", synced - recovered, 0});
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
Result<void> RocksDbStore::ask_for_healing() {
  wants_healing_ = false;
  ++repairs_;
  return note_healing_on_disk();
}

// A file is done with only when it is on disk that the index needs healing.
Result<void> RocksDbStore::note_healing() {
  if (wants_healing_) return {};
  if (auto noted = note_healing_on_disk(); !noted) return noted;
  wants_healing_ = true;
  return {};
}

Result<void> RocksDbStore::note_healing_on_disk() {
  return put({{Family::kIndex, std::string(kHealKey), "1"}}, Durability::kNow);
}

// The copy first: the mark says no more than the copy has.
void RocksDbStore::note_manifest(::rocksdb::DB& db) {
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

// False where a walk does not let it go.
bool RocksDbStore::close_database() {
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

void RocksDbStore::reopen() {
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
void RocksDbStore::let_others_in() {
  if (lacks_logs_) {
    if (auto saved = save_unfinished(true); !saved) return report_unsaved(saved);
  }
  lacks_logs_ = false;
  // Before anybody else looks for what is gone, and takes it for new.
  report_unsaved(ask_for_healing());
  is_withheld_ = false;
}

// What is not done yet is tried again.
void RocksDbStore::report_unsaved(const Result<void>& done) {
  if (done || !trouble_.is_news(done.error().message)) return;
  service::log_warn("a damaged file is not done with yet, trying again",
                    {{"error", done.error().message}});
}

Result<void> RocksDbStore::save_unfinished(bool wants_index_only) {
  if (auto saved = saver_.save(wants_index_only); !saved) return saved;
  return wants_healing_ ? ask_for_healing() : Result<void>();
}

// Of a log that was set aside: how many writes the record had. One that is none costs itself.
Result<std::uint64_t> RocksDbStore::apply_record(std::string_view record) {
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
}  // namespace vigia::storage::store::rocksdb::kv
