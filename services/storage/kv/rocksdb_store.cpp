#include "services/storage/kv/rocksdb_store.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace vigia::storage {
namespace {

constexpr std::array<const char*, kFamilies> kFamilyNames = {"index", "chunks", "spans", "logs"};
constexpr std::size_t kBlockBytes = 32U << 10U;
constexpr std::size_t kFilterPartBytes = 4U << 10U;
constexpr int kCacheShardBits = 3;
constexpr std::size_t kLogFilesKept = 3;
// Of one look for many keys: how many, and the values that it may hold on the way.
constexpr std::size_t kContainsKeys = 256;
constexpr std::uint64_t kContainsValueBytes = 4U << 20U;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

tl::unexpected<Error> failure(const rocksdb::Status& status) {
  const ErrorCode code = status.IsCorruption() ? ErrorCode::kCorrupt : ErrorCode::kUnavailable;
  return fail(code, "cold store: " + status.ToString());
}

class RocksDbScan final : public Scan {
 public:
  RocksDbScan(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string_view from,
              std::string_view to)
      : to_(to), to_slice_(to_), seek_(from) {
    rocksdb::ReadOptions options;
    if (!to_.empty()) options.iterate_upper_bound = &to_slice_;
    iterator_.reset(db.NewIterator(options, family));
  }

  bool next() override {
    if (seek_.has_value()) {
      iterator_->Seek(*seek_);
      seek_.reset();
    } else {
      iterator_->Next();
    }
    return iterator_->Valid();
  }
  void seek(std::string_view key) override { seek_ = std::string(key); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }
  Result<void> status() const override {
    const rocksdb::Status status = iterator_->status();
    if (!status.ok()) return failure(status);
    return {};
  }

 private:
  std::string to_;
  rocksdb::Slice to_slice_;
  std::optional<std::string> seek_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDbStore final : public OrderedStore {
 public:
  RocksDbStore(std::unique_ptr<rocksdb::DB> db, std::vector<rocksdb::ColumnFamilyHandle*> handles)
      : db_(std::move(db)), handles_(std::move(handles)) {}
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;

  ~RocksDbStore() override {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    db_->Close().PermitUncheckedError();
  }

  Result<void> put(const std::vector<KeyValue>& writes, Durability durability) override {
    rocksdb::WriteBatch batch;
    for (const KeyValue& write : writes) {
      const auto status = batch.Put(handle(write.family), slice(write.key), slice(write.value));
      if (!status.ok()) return failure(status);
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kNow;
    const rocksdb::Status status = db_->Write(options, &batch);
    if (!status.ok()) return failure(status);
    return {};
  }

  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return failure(status);
    return std::optional<std::string>(std::move(value));
  }

  Result<std::vector<bool>> contains(Family family,
                                     const std::vector<std::string_view>& keys) override {
    std::vector<bool> is_there;
    is_there.reserve(keys.size());
    while (is_there.size() < keys.size()) {
      if (auto looked = look_for_some(family, keys, is_there); !looked) return forward(looked);
    }
    return is_there;
  }

  std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) override {
    return std::make_unique<RocksDbScan>(*db_, handle(family), from, to);
  }

  Result<void> sync() override {
    const rocksdb::Status status = db_->SyncWAL();
    if (!status.ok()) return failure(status);
    return {};
  }

  Result<void> drop_range(Family family, std::string_view from, std::string_view to) override {
    const rocksdb::Slice begin = slice(from);
    const rocksdb::Slice end = slice(to);
    auto status = rocksdb::DeleteFilesInRange(db_.get(), handle(family), &begin, &end, false);
    if (status.ok()) {
      status = db_->DeleteRange(rocksdb::WriteOptions(), handle(family), begin, end);
    }
    if (!status.ok()) return failure(status);
    return {};
  }

  Result<void> compact() override {
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    for (auto* family : handles_) {
      auto status = db_->Flush(rocksdb::FlushOptions(), family);
      if (status.ok()) status = db_->CompactRange(options, family, nullptr, nullptr);
      if (!status.ok()) return failure(status);
    }
    return {};
  }

  std::uint64_t disk_bytes(Family family) const override {
    std::uint64_t bytes = 0;
    db_->GetIntProperty(handle(family), rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
    return bytes;
  }

 private:
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  // Looks for the keys from is_there.size() on: at least one of them, as many as the values' bound
  // allows.
  Result<void> look_for_some(Family family, const std::vector<std::string_view>& keys,
                             std::vector<bool>& is_there) {
    const std::size_t first = is_there.size();
    const std::size_t count = std::min(keys.size() - first, kContainsKeys);
    std::array<rocksdb::Slice, kContainsKeys> wanted;
    std::array<rocksdb::PinnableSlice, kContainsKeys> values;
    std::array<rocksdb::Status, kContainsKeys> statuses;
    for (std::size_t i = 0; i < count; ++i) wanted[i] = slice(keys[first + i]);
    rocksdb::ReadOptions options;
    options.value_size_soft_limit = kContainsValueBytes;
    db_->MultiGet(options, handle(family), count, wanted.data(), values.data(), statuses.data());
    for (std::size_t i = 0; i < count; ++i) {
      if (statuses[i].IsAborted()) break;  // past the bound; those behind come the next time
      if (!statuses[i].ok() && !statuses[i].IsNotFound()) return failure(statuses[i]);
      is_there.push_back(statuses[i].ok());
    }
    if (is_there.size() > first) return {};
    const auto value = get(family, keys[first]);
    if (!value) return tl::unexpected<Error>(value.error());
    is_there.push_back(value->has_value());
    return {};
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

rocksdb::ColumnFamilyOptions family_options(const RocksDbSettings& settings,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;  // shared by the families: RocksDB's own interface wants it so
  table.block_size = kBlockBytes;
  // In parts: a filter of millions of keys is larger than a shard of the cache, which would read it
  // anew at every look-up.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = kFilterPartBytes;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = settings.write_buffer_bytes;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  options.level_compaction_dynamic_level_bytes = true;
  return options;
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.keep_log_file_num = kLogFilesKept;
  options.bytes_per_sync = 1U << 20U;
  // Watches for space after a full disk, so that writes go on by themselves.
  options.sst_file_manager.reset(rocksdb::NewSstFileManager(rocksdb::Env::Default()));
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return options;
}

}  // namespace

Result<std::unique_ptr<OrderedStore>> open_rocksdb(const RocksDbSettings& settings) {
  std::error_code error;
  std::filesystem::create_directories(settings.directory, error);
  if (error) {
    return fail(ErrorCode::kUnavailable, fmt::format("cold store: cannot make the folder {}: {}",
                                                     settings.directory, error.message()));
  }
  const auto cache = rocksdb::NewLRUCache(settings.cache_bytes, kCacheShardBits);
  const rocksdb::ColumnFamilyOptions options = family_options(settings, cache);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, options);
  for (std::size_t i = 1; i < kFamilies; ++i) families.emplace_back(kFamilyNames[i], options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options(), settings.directory, families, &handles, &raw);
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("cold store: another process holds {}", settings.directory));
  }
  if (!status.ok()) return failure(status);
  return std::make_unique<RocksDbStore>(std::unique_ptr<rocksdb::DB>(raw), std::move(handles));
}

}  // namespace vigia::storage
