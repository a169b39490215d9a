#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"

#include <algorithm>
#include <array>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "libs/base/fault.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr int kCacheShardBits = 3;
// Of one look for many keys: how many, and the values that it may hold on the way.
constexpr std::size_t kContainsKeys = 256;
constexpr std::uint64_t kContainsValueBytes = 4U << 20U;
// How often the mark of the MANIFEST is written, and a store that refuses is tried again.
constexpr auto kTick = std::chrono::seconds(2);
// Free space below which writes are about to fail.
constexpr std::uint64_t kFreeBytesMin = 4U << 20U;
constexpr std::string_view kProbeKey = "probe";

}  // namespace

::rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

RocksDbStore::RocksDbStore(const RocksDbSettings& settings)
    : settings_(settings),
      cache_(::rocksdb::NewLRUCache(settings.cache_bytes, kCacheShardBits)),
      quarantine_(settings.directory + "/quarantine"),
      mark_(settings.directory + "/" + std::string(kMarkFile)) {}

RocksDbStore::~RocksDbStore() {
  scrubber_.reset();
  damage_.stop();
  if (mender_.joinable()) mender_.join();
  if (const auto opened = current()) note_manifest(*opened->db);
}

Result<void> RocksDbStore::put(const std::vector<KeyValue>& writes, Durability durability) {
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

Result<std::size_t> RocksDbStore::put_unchanged(const std::vector<GuardedWrite>& writes) {
  const auto opened = current();
  if (opened == nullptr) return mending();
  // RocksDB has no conditional write outside its transactions, which would cost each write: alone
  // in the gate, nothing can change a row between the look at it and the batch.
  const auto entered = gate_.enter_alone();
  ::rocksdb::WriteBatch batch;
  for (const GuardedWrite& write : writes) {
    const auto now = get(write.row.family, write.row.key);
    if (!now) return tl::unexpected<Error>(now.error());
    if (*now != write.read) continue;
    auto* family = opened->handle(write.row.family);
    const auto status = write.row.is_gone
                            ? batch.Delete(family, slice(write.row.key))
                            : batch.Put(family, slice(write.row.key), slice(write.row.value));
    if (!status.ok()) return failure(damage_, status);
  }
  const auto count = static_cast<std::size_t>(batch.Count());
  if (count == 0) return count;
  if (auto written = write_inside(*opened, batch, {}); !written) return forward(written);
  return count;
}

Result<std::optional<std::string>> RocksDbStore::get(Family family, std::string_view key) {
  const auto opened = current();
  if (opened == nullptr) return mending();
  std::string value;
  const auto status =
      opened->db->Get(::rocksdb::ReadOptions(), opened->handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return failure(damage_, status);
  return std::optional<std::string>(std::move(value));
}

Result<std::vector<bool>> RocksDbStore::contains(Family family,
                                                 const std::vector<std::string_view>& keys) {
  const auto opened = current();
  if (opened == nullptr) return mending();
  std::vector<bool> is_there;
  is_there.reserve(keys.size());
  while (is_there.size() < keys.size()) {
    const auto looked = look_for_some(*opened, family, keys, is_there);
    if (!looked) return tl::unexpected<Error>(looked.error());
  }
  return is_there;
}

std::unique_ptr<Scan> RocksDbStore::scan(Family family, std::string_view from,
                                         std::string_view to) {
  return make_scan(current(), damage_, {family, from, to});
}

std::unique_ptr<Scan> RocksDbStore::scan_back(Family family, std::string_view from,
                                              std::string_view to) {
  return make_scan(current(), damage_, {family, from, to, true});
}

Result<void> RocksDbStore::sync() {
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

Result<void> RocksDbStore::drop_range(Family family, std::string_view from, std::string_view to) {
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

Result<void> RocksDbStore::set_aside(const std::vector<KeyValue>& rows, std::string_view reason) {
  const auto taken = quarantine_.take_rows(rows);
  if (!taken) return tl::unexpected<Error>(taken.error());
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

Result<void> RocksDbStore::compact() {
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

std::uint64_t RocksDbStore::disk_bytes(Family family) const {
  const auto opened = current();
  std::uint64_t bytes = 0;
  if (opened != nullptr) {
    opened->db->GetIntProperty(opened->handle(family),
                               ::rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  }
  return bytes;
}

DamageStats RocksDbStore::damage() const {
  const Quarantine::State state = quarantine_.state();
  return {quarantine_.found(),
          quarantine_.rows_lost(),
          quarantine_.rows_saved(),
          state.files,
          state.unsaved_files,
          state.mark,
          repairs_,
          scrubber_ == nullptr ? std::nullopt : std::optional(scrubber_->stats())};
}

std::shared_ptr<Opened> RocksDbStore::current() const {
  // To the mender the database is open: it must write what it saved before others look.
  if (is_withheld_ && std::this_thread::get_id() != mender_.get_id()) return nullptr;
  const std::lock_guard lock(mutex_);
  return opened_;
}

// Looks for the keys from is_there.size() on: at least one of them, as many as the values' bound
// allows.
Result<void> RocksDbStore::look_for_some(Opened& opened, Family family,
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
  if (!value) return tl::unexpected<Error>(value.error());
  is_there.push_back(value->has_value());
  return {};
}

Result<void> RocksDbStore::write_batch(Opened& opened, ::rocksdb::WriteBatch& batch,
                                       Durability durability) {
  ::rocksdb::WriteOptions options;
  options.sync = durability == Durability::kNow;
  const auto entered = gate_.enter();
  return write_inside(opened, batch, options);
}

// Who calls it is inside the gate.
Result<void> RocksDbStore::write_inside(Opened& opened, ::rocksdb::WriteBatch& batch,
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
Result<void> RocksDbStore::open() {
  if (auto room = check_room(settings_.directory); !room) return room;
  StoreFolder folder(settings_.directory, quarantine_, mark_);
  if (auto prepared = folder.prepare(); !prepared) return prepared;
  if (auto opened = open_database(folder); !opened) return opened;
  if (auto compared = compare_with_mark(folder); !compared) return compared;
  if (auto saved = save_index(); !saved) return saved;
  mender_ = std::thread([this] { run(); });
  start_scrubber();
  return {};
}

// The mender's thread.
void RocksDbStore::run() {
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

}  // namespace vigia::storage::store::rocksdb::kv
