// Instances that share one store in memory, for tests of what they tell each other.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "services/storage/testing/memory_instance.hpp"

namespace vigia::storage::peers {

/// What they share. Thread contract: any thread.
class SharedStore {
 public:
  store::MemoryColdStore& cold() { return cold_; }
  void add(store::SharingNumber number) {
    const std::lock_guard lock(mutex_);
    numbers_.push_back(number);
  }
  /// As if another had taken over all that it had open.
  void forget(store::SharingNumber number) {
    const std::lock_guard lock(mutex_);
    std::erase(numbers_, number);
  }
  std::vector<store::SharingNumber> numbers() const {
    const std::lock_guard lock(mutex_);
    return numbers_;
  }

 private:
  store::MemoryColdStore cold_;
  mutable std::mutex mutex_;
  std::vector<store::SharingNumber> numbers_;
};

/// Keeps no copies: no test takes over from it.
class NoCopies final : public store::OpenRows {
 public:
  Result<void> replayed(store::OpenSlot /*newest*/, bool /*is_whole*/) override { return {}; }
  void keep(store::OpenSlot /*slot*/, std::vector<store::OpenRow> /*rows*/, Done done) override {
    done({});
  }
  void release(store::OpenSlot /*before*/) override {}
  Result<void> take_over(const Take& /*take*/) override { return {}; }
  Duration look_interval() const override { return std::chrono::minutes(1); }
  store::OpenRowStats stats() const override { return {}; }
};

/// One that has ended stays listed, as one that was killed does.
class SharingInstance final : public MemoryInstance {
 public:
  explicit SharingInstance(std::shared_ptr<SharedStore> shared) : shared_(std::move(shared)) {}
  store::ColdStore& store() override { return shared_->cold(); }
  Result<store::OpenRows*> open_rows(std::uint64_t number) override {
    number_ = number;
    shared_->add(number);
    return &copies_;
  }
  std::optional<store::SharingNumber> sharing_number() const override { return number_; }
  Result<std::vector<store::SharingNumber>> sharing_numbers() override {
    return shared_->numbers();
  }

 private:
  const std::shared_ptr<SharedStore> shared_;
  NoCopies copies_;
  std::optional<store::SharingNumber> number_;
};

}  // namespace vigia::storage::peers
