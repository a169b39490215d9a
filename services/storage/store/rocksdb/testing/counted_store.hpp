// Counts what is asked of a store.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// Rows that walks come by, keys that are looked up, looks at the damage.
class CountedStore final : public kv::OrderedStore {
 public:
  /// It must outlive this.
  explicit CountedStore(kv::OrderedStore& store) : store_(store) {}
  // Each since it was taken the last time.
  std::size_t take_rows() { return rows_.exchange(0); }
  std::size_t take_lookups() { return lookups_.exchange(0); }
  std::size_t take_damage_looks() { return damage_looks_.exchange(0); }
  void note_repair() { ++repairs_; }

  Result<std::vector<bool>> contains(kv::Family family,
                                     const std::vector<std::string_view>& keys) override {
    lookups_ += keys.size();
    return store_.contains(family, keys);
  }
  Result<void> put(const std::vector<kv::KeyValue>& writes, kv::Durability durability) override {
    return store_.put(writes, durability);
  }
  Result<std::optional<std::string>> get(kv::Family family, std::string_view key) override {
    return store_.get(family, key);
  }
  std::unique_ptr<kv::Scan> scan(kv::Family family, std::string_view from,
                                 std::string_view to) override {
    return std::make_unique<CountedScan>(store_.scan(family, from, to), rows_);
  }
  std::unique_ptr<kv::Scan> scan_back(kv::Family family, std::string_view from,
                                      std::string_view to) override {
    return std::make_unique<CountedScan>(store_.scan_back(family, from, to), rows_);
  }
  Result<void> sync() override { return store_.sync(); }
  Result<void> drop_range(kv::Family family, std::string_view from, std::string_view to) override {
    return store_.drop_range(family, from, to);
  }
  Result<void> compact() override { return store_.compact(); }
  std::uint64_t disk_bytes(kv::Family family) const override { return store_.disk_bytes(family); }
  std::uint64_t repairs() const override { return repairs_; }
  DamageStats damage() const override {
    ++damage_looks_;
    return store_.damage();
  }

 private:
  class CountedScan final : public kv::Scan {
   public:
    CountedScan(std::unique_ptr<kv::Scan> scan, std::atomic<std::size_t>& rows)
        : scan_(std::move(scan)), rows_(rows) {}
    bool next() override {
      const bool is_there = scan_->next();
      rows_ += is_there ? 1 : 0;
      return is_there;
    }
    void seek(std::string_view key) override { scan_->seek(key); }
    std::string_view key() const override { return scan_->key(); }
    std::string_view value() const override { return scan_->value(); }
    Result<void> status() const override { return scan_->status(); }

   private:
    const std::unique_ptr<kv::Scan> scan_;
    std::atomic<std::size_t>& rows_;
  };

  kv::OrderedStore& store_;
  std::atomic<std::size_t> rows_{0};
  std::atomic<std::size_t> lookups_{0};
  std::atomic<std::uint64_t> repairs_{0};
  mutable std::atomic<std::size_t> damage_looks_{0};
};

}  // namespace vigia::storage::store::rocksdb
