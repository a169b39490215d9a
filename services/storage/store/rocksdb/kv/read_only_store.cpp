#include "services/storage/store/rocksdb/kv/read_only_store.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include "services/storage/store/rocksdb/kv/folder_files.hpp"
#include "services/storage/store/rocksdb/kv/folder_lock.hpp"
#include "services/storage/store/rocksdb/kv/record_file.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/store_mark.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

std::string_view view(const ::rocksdb::Slice& text) { return {text.data(), text.size()}; }

tl::unexpected<Error> unread(const std::string& directory, const ::rocksdb::Status& status) {
  const bool is_damage = status.IsCorruption() || status.IsPathNotFound();
  return fail(is_damage ? ErrorCode::kCorrupt : ErrorCode::kUnavailable,
              fmt::format("{} cannot be read ({}); `vigia-storage verify` says what is damaged",
                          directory, status.ToString()));
}

// RocksDB would write a file of its own words into the folder.
class NoWords final : public ::rocksdb::Logger {
 public:
  using ::rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

class ReadOnlyScan final : public Scan {
 public:
  ReadOnlyScan(std::string directory, std::string_view from, std::string_view to)
      : directory_(std::move(directory)), from_(from), to_(to), to_slice_(to_) {}

  void begin(::rocksdb::DB& db, ::rocksdb::ColumnFamilyHandle* family) {
    ::rocksdb::ReadOptions options;
    options.fill_cache = false;  // each block is read once
    if (!to_.empty()) options.iterate_upper_bound = &to_slice_;
    iterator_.reset(db.NewIterator(options, family));
  }
  bool next() override {
    if (iterator_ == nullptr) return false;
    if (seek_.has_value()) {
      iterator_->Seek(*seek_);
      seek_.reset();
    } else if (is_begun_) {
      iterator_->Next();
    } else {
      iterator_->Seek(from_);
    }
    is_begun_ = true;
    return iterator_->Valid();
  }
  void seek(std::string_view key) override { seek_ = std::string(key); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }
  Result<void> status() const override {
    if (iterator_ == nullptr || iterator_->status().ok()) return {};
    return unread(directory_, iterator_->status());
  }

 private:
  const std::string directory_;
  bool is_begun_ = false;
  // RocksDB keeps a pointer to the slice, and that to the text: both outlive the iterator.
  const std::string from_;
  const std::string to_;
  const ::rocksdb::Slice to_slice_;
  std::optional<std::string> seek_;
  std::unique_ptr<::rocksdb::Iterator> iterator_;
};

// By their numbers, the oldest first.
Result<std::vector<std::string>> logs_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    if (name.ends_with(".log") && number_in(name) != 0) names.push_back(std::move(name));
  }
  if (error) return refused(directory + " cannot be listed: " + error.message());
  std::sort(names.begin(), names.end(), [](const std::string& left, const std::string& right) {
    return number_in(left) < number_in(right);
  });
  return names;
}

// Only the last one may end within a record: a kill tore it, and nobody was told that it is kept.
Result<std::vector<std::string>> damage_of_logs(const std::string& directory) {
  const auto names = logs_in(directory);
  if (!names) return forward(names);
  std::vector<std::string> damage;
  for (const std::string& name : *names) {
    const auto state = read_record_file(directory + "/" + name, [](std::string_view) {});
    if (!state) return tl::unexpected<Error>(state.error());
    const bool is_cut = state->tail_bytes > 0 && name != names->back();
    if (state->damaged_passages == 0 && !is_cut) continue;
    const bool is_passage = state->damaged_passages > 0;
    damage.push_back(fmt::format(
        "{}: {} damaged passages, {} bytes, the first at byte {}; rows behind it are not told",
        name, state->damaged_passages + (is_cut ? 1U : 0U),
        state->damaged_bytes + (is_cut ? state->tail_bytes : 0U),
        is_passage ? state->first_damage : state->records_end));
  }
  return damage;
}

class ReadOnlyRocksDb final : public ReadOnlyStore {
 public:
  explicit ReadOnlyRocksDb(std::string directory) : directory_(std::move(directory)) {}
  ReadOnlyRocksDb(const ReadOnlyRocksDb&) = delete;
  ReadOnlyRocksDb& operator=(const ReadOnlyRocksDb&) = delete;
  ~ReadOnlyRocksDb() override {
    if (db_ == nullptr) return;
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    db_->Close().PermitUncheckedError();
  }

  Result<void> open() {
    std::error_code error;
    if (!fs::exists(directory_ + "/CURRENT", error)) {
      return fail(ErrorCode::kNotFound, "there is no store in " + directory_);
    }
    // A copy of a folder may have no lock; none is made for it.
    if (fs::exists(directory_ + "/LOCK", error)) {
      lock_.emplace(directory_);
      if (!lock_->is_held()) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("{} cannot be locked ({}); stop vigia-storage first", directory_,
                                lock_->why_not()));
      }
    }
    // Before RocksDB does, which takes the first damage for the end and says that all is well.
    auto damage = damage_of_logs(directory_);
    if (!damage) return forward(damage);
    log_damage_ = *std::move(damage);
    if (auto opened = open_database(); !opened) return opened;
    note_missing_end();
    return {};
  }

  std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) override {
    auto scan = std::make_unique<ReadOnlyScan>(directory_, from, to);
    if (auto* handle = handle_of(family)) scan->begin(*db_, handle);
    return scan;
  }
  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    auto* handle = handle_of(family);
    if (handle == nullptr) return std::optional<std::string>();
    std::string value;
    const auto status = db_->Get(::rocksdb::ReadOptions(), handle, slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return unread(directory_, status);
    return std::optional<std::string>(std::move(value));
  }
  const std::vector<std::string>& log_damage() const override { return log_damage_; }

 private:
  // Behind damage RocksDB reads nothing: that was told.
  void note_missing_end() {
    if (!log_damage_.empty()) return;
    const std::uint64_t synced =
        read_mark(directory_ + "/" + std::string(kMarkFile)).values.synced_sequence;
    const std::uint64_t last = db_->GetLatestSequenceNumber();
    if (last >= synced) return;
    log_damage_.push_back(fmt::format(
        "the newest write-ahead log ends before {} writes that were on disk", synced - last));
  }
  Result<void> open_database() {
    ::rocksdb::DBOptions options;
    options.info_log = std::make_shared<NoWords>();
    std::vector<std::string> names;
    auto status = ::rocksdb::DB::ListColumnFamilies(options, directory_, &names);
    if (!status.ok()) return unread(directory_, status);
    std::vector<::rocksdb::ColumnFamilyDescriptor> families;
    RocksDbSettings settings;
    settings.directory = directory_;
    for (const std::string& name : names) {
      const auto family = family_named(name);
      if (!family.has_value()) {
        return fail(ErrorCode::kInvalid,
                    fmt::format("{} has a column family {} that is not known to this program: a "
                                "later version wrote it",
                                directory_, name));
      }
      families.emplace_back(name, family_options(*family, settings, nullptr));
      families_.push_back(*family);
    }
    ::rocksdb::DB* raw = nullptr;
    status = ::rocksdb::DB::OpenForReadOnly(options, directory_, families, &handles_, &raw);
    if (!status.ok()) return unread(directory_, status);
    db_.reset(raw);
    return {};
  }
  ::rocksdb::ColumnFamilyHandle* handle_of(Family family) const {
    for (std::size_t i = 0; i < families_.size(); ++i) {
      if (families_[i] == family) return handles_[i];
    }
    return nullptr;
  }

  const std::string directory_;
  std::optional<FolderLock> lock_;
  std::vector<std::string> log_damage_;
  std::vector<Family> families_;
  std::vector<::rocksdb::ColumnFamilyHandle*> handles_;  // of these
  std::unique_ptr<::rocksdb::DB> db_;
};

}  // namespace

Result<std::unique_ptr<ReadOnlyStore>> open_read_only(const std::string& directory) {
  auto store = std::make_unique<ReadOnlyRocksDb>(directory);
  if (auto opened = store->open(); !opened) return forward(opened);
  return store;
}

}  // namespace vigia::storage::store::rocksdb::kv
