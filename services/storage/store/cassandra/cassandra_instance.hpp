// StoreInstance on Cassandra: this process' folder, its session with the cluster, and the store.
#pragma once

#include <memory>

#include "libs/base/clock.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/storage/customers/number_file.hpp"
#include "services/storage/instance/store_instance.hpp"
#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/instance_list.hpp"
#include "services/storage/store/cassandra/open_rows.hpp"
#include "services/storage/store/cassandra/settings.hpp"

namespace vigia::storage::store::cassandra {

class CassandraInstance final : public instance::StoreInstance {
 public:
  /// Takes the folder: kUnavailable, naming it, where another process holds it. `clock` must
  /// outlive it.
  static Result<std::unique_ptr<instance::StoreInstance>> open(const CassandraSettings& settings,
                                                               const Clock& clock,
                                                               std::size_t index_memory_max);
  CassandraInstance(CassandraSettings settings, const Clock& clock, std::size_t index_memory_max);

  /// Waits for a cluster that does not answer yet. Whatever else it says ends the start.
  Result<void> load() override;
  ColdStore& store() override { return *cold_; }
  customers::CustomerNumbers& numbers() override { return *numbers_; }
  Result<OpenRows*> open_rows(std::uint64_t number) override;
  Duration gathers_chunks() const override { return settings_.gather; }
  bool has_other_retention() const override { return retention_ && retention_->differs(); }
  instance::SecondRequestStats second_requests() const override;
  void end_requests_by(TimePoint time) override;
  std::optional<SharingNumber> sharing_number() const override;
  Result<std::vector<SharingNumber>> sharing_numbers() override;
  void use_record_times(customers::RecordTimes& times) override;
  void use_oldest(Signal signal, std::function<TimestampMs(const CustomerId&)> oldest_ms) override;
  void use_retention(const CustomerRetention& retention) override {
    cold_->use_retention(retention);
  }
  void note_used(SeriesId /*series*/, customers::CustomerNumber customer) override;
  void start_upkeep() override {}
  void set_short(bool is_short) override { cold_->own_catalog().set_short(is_short); }
  /// Also while the cluster is away: what is received is on this disk first.
  bool is_writable() const override { return true; }
  DamageStats damage() const override;
  bool lacks_rows_of(std::string_view /*customer*/) const override { return false; }
  instance::CatalogStats catalog_stats() const override;

 private:
  Result<void> take_folder();
  Result<void> connect();
  Result<void> share_retention(std::uint64_t number);

  const CassandraSettings settings_;
  const Clock& clock_;
  const std::size_t index_memory_max_;
  const std::uint64_t writer_;
  std::unique_ptr<disk_log::DirectoryLock> lock_;
  std::unique_ptr<customers::NumberFile> numbers_;
  std::unique_ptr<vigia::cassandra::Session> session_;
  std::unique_ptr<CassandraColdStore> cold_;
  std::unique_ptr<SharedRetention> retention_;
  std::unique_ptr<CassandraOpenRows> open_rows_;  // uses it
  std::unique_ptr<InstanceList> instances_;
};

}  // namespace vigia::storage::store::cassandra
