// A store in memory as a service holds it, for tests of what a service asks of any kind.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "services/storage/instance/store_instance.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {

/// Gives numbers in the order in which customers come. Thread contract: any thread.
class MemoryInstance : public instance::StoreInstance, public customers::CustomerNumbers {
 public:
  Result<void> load() override { return {}; }
  store::ColdStore& store() override { return store_; }
  customers::CustomerNumbers& numbers() override { return *this; }
  void use_record_times(customers::RecordTimes& /*times*/) override {}
  void use_oldest(Signal /*signal*/,
                  std::function<TimestampMs(const CustomerId&)> /*oldest_ms*/) override {}
  void note_used(store::SeriesId /*series*/, customers::CustomerNumber /*customer*/) override {}
  void start_upkeep() override {}
  void set_short(bool /*is_short*/) override {}
  bool is_writable() const override { return true; }
  store::DamageStats damage() const override { return {}; }
  bool lacks_rows_of(std::string_view /*customer*/) const override { return false; }
  instance::CatalogStats catalog_stats() const override { return {}; }

  Result<customers::CustomerNumber> number_of(const CustomerId& customer) override {
    const std::lock_guard lock(mutex_);
    const auto next = static_cast<std::uint32_t>(numbers_.size() + 1);
    return customers::CustomerNumber{numbers_.try_emplace(customer, next).first->second};
  }
  std::optional<CustomerId> id_of(customers::CustomerNumber number) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& [customer, own] : numbers_) {
      if (own == number.value) return customer;
    }
    return std::nullopt;
  }
  Result<void> keep_unowned(customers::CustomerNumber /*number*/,
                            std::span<const store::ClosedChunk> /*chunks*/) override {
    return fail(ErrorCode::kInternal, "every number has an owner");
  }

 private:
  store::MemoryColdStore store_;
  mutable std::mutex mutex_;
  std::map<CustomerId, std::uint32_t> numbers_;
};

}  // namespace vigia::storage
