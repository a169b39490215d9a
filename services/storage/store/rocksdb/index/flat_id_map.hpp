// 128-bit hash → series number, in one flat array: the memory that a known series costs here is the
// slot alone. It never takes more than it may: what it forgets is asked of the store again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/catalog.hpp"

namespace vigia::storage::store::rocksdb::index {

/// Open addressing, linear probing, never more than three quarters full. Thread contract: one
/// thread at a time.
class FlatIdMap {
 public:
  explicit FlatIdMap(std::size_t bytes_max = SIZE_MAX);

  /// Notes that it was asked for.
  std::optional<KnownSeries> find(const LabelsHash& hash);
  /// Where it is full it forgets first: of the customer who holds most, what nobody has asked for
  /// since the last time, as much as is needed; then of the next; then what was asked for, in the
  /// same order. Days that are known stay where the number is the same and kNoDays are given.
  /// REQUIRES: 0 < known.id.value < 2^63.
  void insert(customers::CustomerNumber customer, const LabelsHash& hash, const KnownSeries& known);
  /// Forgets at once what is more.
  void set_bytes_max(std::size_t bytes_max);
  /// Numbers stay.
  void forget_days();
  /// Forgets series of which days are known, all of them before this one.
  void forget_before(std::uint32_t day);
  void clear();
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    LabelsHash hash;
    std::uint64_t id : 63 = 0;           // 0: free
    std::uint64_t is_asked_for : 1 = 0;  // since the last forgetting
    customers::CustomerNumber customer;
    std::uint16_t first_day = 1;  // up to the year 2149
    std::uint16_t last_day = 0;
  };
  // What a customer holds, and how much of it is to go: what nobody has asked for, then the rest.
  struct Share;
  using Shares = std::unordered_map<std::uint32_t, Share>;

  std::size_t slot_at(const LabelsHash& hash) const;
  void make_room();
  void forget_some(std::size_t size_max, std::size_t slots);
  Shares shares() const;
  static void choose(Shares& shares, std::size_t surplus);
  void rebuild(std::size_t slots, const std::function<bool(const Slot&)>& is_kept);

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  std::size_t slots_max_;
};

}  // namespace vigia::storage::store::rocksdb::index
