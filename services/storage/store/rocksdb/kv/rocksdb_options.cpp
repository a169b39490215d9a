#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include "libs/base/fault.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::size_t kBlockBytes = 32U << 10U;
constexpr std::size_t kFilterPartBytes = 4U << 10U;
constexpr std::size_t kLogFilesKept = 3;
// Free space to open, beside the size of the logs.
constexpr std::uint64_t kFreeBytesToOpen = 8U << 20U;

// Rows of the index come with new series and then no more, so what has not filled a buffer stays in
// memory for good: some 500 bytes a series of the first tens of thousands in buffers as large as
// those of chunks, which are written all the time. Roll-ups,
// exemplars and metadata are little beside what they are made of. Marks of days are forgotten as
// soon as the day is rolled up, and each read of roll-ups goes over what is left of those: it is
// written out early, and then packed (see add_due_packing).
std::uint64_t write_buffer_parts(Family family) {
  constexpr std::uint64_t kIndexParts = 4;
  constexpr std::uint64_t kSmallParts = 8;
  constexpr std::uint64_t kDueParts = 128;
  switch (family) {
    case Family::kIndex:
      return kIndexParts;
    case Family::kIdentity:
    case Family::kRollup5m:
    case Family::kRollup1h:
    case Family::kRollup1d:
    case Family::kExemplars:
    case Family::kMetadata:
      return kSmallParts;
    case Family::kDue:
      return kDueParts;
    default:
      return 1;
  }
}

// Each span and log record is looked up before it is written, most often in vain: a filter of the
// buffer (23 bits for a row of 256 bytes) spares a walk through all of its levels.
double buffer_filter_ratio(Family family) {
  constexpr double kEventRatio = 0.01;
  return family == Family::kSpans || family == Family::kLogs ? kEventRatio : 0;
}

// Tables most of whose rows say that others are gone are written anew without them, and without
// waiting for more of their kind.
void add_due_packing(::rocksdb::ColumnFamilyOptions& options) {
  constexpr std::size_t kRowsInTurn = 1024;
  constexpr std::size_t kGoneOfThem = 512;
  options.table_properties_collector_factories.push_back(
      ::rocksdb::NewCompactOnDeletionCollectorFactory(kRowsInTurn, kGoneOfThem));
}

// Hears from RocksDB. Damage that a compaction meets would make the database refuse all writes
// until it is opened anew: it goes to the queue instead; the compaction is tried again once the
// table is gone. And each new version is told of before the files of the one before are deleted.
class StoreListener final : public ::rocksdb::EventListener {
 public:
  using OnVersion = std::function<void(::rocksdb::DB&)>;
  StoreListener(DamageQueue& damage, OnVersion on_version)
      : damage_(damage), on_version_(std::move(on_version)) {}
  const char* Name() const override { return "vigia store listener"; }
  void OnBackgroundError(::rocksdb::BackgroundErrorReason reason,
                         ::rocksdb::Status* status) override {
    contain_faults("storage: listener", [&] {
      const bool is_read = reason == ::rocksdb::BackgroundErrorReason::kCompaction ||
                           reason == ::rocksdb::BackgroundErrorReason::kFlush;
      if (!is_read || !status->IsCorruption()) return;
      const std::string text = status->ToString();
      damage_.add(table_in(text), text);
      *status = ::rocksdb::Status::OK();  // even where nothing helps: the other tables take writes
    });
  }
  void OnFlushCompleted(::rocksdb::DB* db, const ::rocksdb::FlushJobInfo& /*info*/) override {
    contain_faults("storage: listener", [&] { on_version_(*db); });
  }
  void OnCompactionCompleted(::rocksdb::DB* db,
                             const ::rocksdb::CompactionJobInfo& /*i*/) override {
    contain_faults("storage: listener", [&] { on_version_(*db); });
  }

 private:
  DamageQueue& damage_;
  const OnVersion on_version_;
};

}  // namespace

// The index lies in the one that RocksDB always has.
std::vector<std::string> family_names() {
  std::vector<std::string> names(kFamilyNames.begin(), kFamilyNames.end());
  names[0] = ::rocksdb::kDefaultColumnFamilyName;
  return names;
}

std::optional<Family> family_named(const std::string& name) {
  const auto names = family_names();
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<Family>(at - names.begin());
}

::rocksdb::ColumnFamilyOptions family_options(Family family, const RocksDbSettings& settings,
                                              const std::shared_ptr<::rocksdb::Cache>& cache) {
  ::rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;  // shared by the families: RocksDB's own interface wants it so
  table.block_size = kBlockBytes;
  // In parts: a filter of millions of keys is larger than a shard of the cache, which would read it
  // anew at every look-up.
  table.index_type = ::rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = kFilterPartBytes;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(::rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  ::rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(::rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = settings.write_buffer_bytes / write_buffer_parts(family);
  options.memtable_prefix_bloom_size_ratio = buffer_filter_ratio(family);
  options.memtable_whole_key_filtering = options.memtable_prefix_bloom_size_ratio > 0;
  options.compression = ::rocksdb::kLZ4Compression;
  options.bottommost_compression = ::rocksdb::kZSTD;
  options.level_compaction_dynamic_level_bytes = true;
  if (family == Family::kDue) add_due_packing(options);
  return options;
}

::rocksdb::DBOptions database_options(const RocksDbSettings& settings, DamageQueue& damage,
                                      std::function<void(::rocksdb::DB&)> on_version) {
  ::rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.db_write_buffer_size = settings.write_buffers_bytes_max;
  options.keep_log_file_num = kLogFilesKept;
  options.bytes_per_sync = 1U << 20U;
  // Watches for space after a full disk, so that writes go on by themselves.
  options.sst_file_manager.reset(::rocksdb::NewSstFileManager(::rocksdb::Env::Default()));
  // The logs were looked through before (StoreFolder): only a torn end is left to be cut off.
  options.wal_recovery_mode = ::rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Shared because RocksDB's interface wants it so.
  options.listeners.push_back(std::make_shared<StoreListener>(damage, std::move(on_version)));
  return options;
}

std::uint64_t free_bytes(const std::string& directory) {
  std::error_code error;
  const auto space = std::filesystem::space(directory, error);
  return error ? 0 : space.available;
}

// A start writes what the logs hold into tables. Debian's RocksDB asserts, and ends the program,
// where the disk fills up on the way: so it is not tried without room.
Result<void> check_room(const std::string& directory, std::uint64_t more,
                        std::string_view purpose) {
  std::uint64_t needed = kFreeBytesToOpen + more;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() == ".log") needed += at->file_size(ignored);
  }
  const std::uint64_t available = free_bytes(directory);
  if (available >= needed) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("cold store: the disk of {} has {} MiB free, {} are needed {}", directory,
                          available >> 20U, needed >> 20U, purpose));
}

}  // namespace vigia::storage::store::rocksdb::kv
