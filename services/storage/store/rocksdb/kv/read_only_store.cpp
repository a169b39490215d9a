#include "services/storage/store/rocksdb/kv/read_only_store.hpp"

#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include "services/storage/store/rocksdb/kv/folder_lock.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_database.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"

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
    return open_database();
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

 private:
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
      if (!family.has_value()) continue;  // of a later version: what it is cannot be said
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
