// StoreInstance on RocksDB: the folder, the store in it, and the thread that keeps its index whole.
#pragma once

#include <memory>

#include "libs/base/clock.hpp"
#include "services/storage/instance/store_instance.hpp"
#include "services/storage/store/rocksdb/index/index_healer.hpp"
#include "services/storage/store/rocksdb/kv/folder_check.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::store::rocksdb {

class RocksDbInstance final : public instance::StoreInstance {
 public:
  /// kUnavailable, naming the folder, where another process holds it. Waits for what passes.
  /// `clock` must outlive it. `index_memory_max`: SeriesIndex::open.
  static Result<std::unique_ptr<instance::StoreInstance>> open(const kv::RocksDbSettings& settings,
                                                               const Clock& clock,
                                                               std::size_t index_memory_max);
  /// kv::check_folder, with every row of chunks unpacked.
  static Result<CheckReport> check(const kv::RocksDbSettings& settings,
                                   const kv::CheckProgress& progress);
  RocksDbInstance(std::unique_ptr<kv::CopyableStore> rows, const Clock& clock,
                  std::size_t index_memory_max)
      : rows_(std::move(rows)), clock_(clock), index_memory_max_(index_memory_max) {}

  Result<void> load() override;
  ColdStore& store() override { return *cold_; }
  customers::CustomerNumbers& numbers() override { return *cold_; }
  void use_record_times(customers::RecordTimes& times) override { cold_->use_record_times(times); }
  void use_oldest(Signal signal, std::function<TimestampMs(const CustomerId&)> oldest_ms) override;
  void note_used(SeriesId series, customers::CustomerNumber customer) override;
  void start_upkeep() override;
  void set_short(bool is_short) override { cold_->index().set_short(is_short); }
  Result<void> checkpoint(const std::string& directory) override {
    return rows_->copy_to(directory);
  }
  bool is_writable() const override { return rows_->is_writable(); }
  DamageStats damage() const override;
  bool lacks_rows_of(std::string_view customer) const override;
  instance::CatalogStats catalog_stats() const override;

 private:
  std::unique_ptr<kv::CopyableStore> rows_;
  const Clock& clock_;
  const std::size_t index_memory_max_;
  std::unique_ptr<RocksDbColdStore> cold_;
  std::unique_ptr<index::IndexHealer> healer_;  // before what it heals goes
};

}  // namespace vigia::storage::store::rocksdb
