// 128-bit hash → series number, in one flat table: a known series costs its slot and a byte here.
// It never takes more than it may: what it forgets is asked of the store again.
//
// The table is boost's. One of our own stood here (open addressing, three quarters full, of any
// size); measured side by side (g++ 12 -O2, two cores in use, best of five), bytes a series, then
// ns to find one that is there and one that is not:
//   100,000 series: ours 84 B, 145 and 84 ns; boost's 41 B,  89 and  5 ns
//   300,000         ours 56 B, 157 and 113;   boost's 54 B, 153 and  6
//   1,000,000       ours 67 B, 226 and 130;   boost's 65 B, 204 and 13
//   3,000,000       ours 45 B, 451 and 540;   boost's 43 B, 295 and 19
// What boost's has not is any size: it doubles, so that of a bound between two sizes the smaller is
// used. At a power of two, as memory_max is by default, that is nearly all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include <boost/unordered/unordered_flat_map.hpp>

#include "services/storage/store/catalog.hpp"

namespace vigia::storage::store {

/// Thread contract: one thread at a time.
class FlatIdMap {
 public:
  explicit FlatIdMap(std::size_t bytes_max = SIZE_MAX);

  /// Notes that it was asked for.
  std::optional<KnownSeries> find(const LabelsHash& hash);
  /// Where it is full it forgets first: of the customer who holds most, what nobody has asked for
  /// since the last time, as much as is needed; then of the next; then what was asked for, in the
  /// same order. Days that are known stay where the number is the same and kNoDays are given.
  /// REQUIRES: 0 < known.id.value < 2^63.
  void insert(std::uint32_t owner, const LabelsHash& hash, const KnownSeries& known);
  /// Forgets at once what is more.
  void set_bytes_max(std::size_t bytes_max);
  /// Numbers stay.
  void forget_days();
  /// Forgets series of which days are known, all of them before this one.
  void forget_before(std::uint32_t day);
  void clear();
  std::size_t size() const { return entries_.size(); }
  std::size_t memory_bytes() const;

 private:
  struct Entry {
    std::uint64_t id : 63;
    std::uint64_t is_asked_for : 1;  // since the last forgetting
    std::uint32_t owner;
    std::uint16_t first_day;  // up to the year 2149
    std::uint16_t last_day;
  };
  /// A hash is one already.
  struct Low {
    using is_avalanching = void;
    std::size_t operator()(const LabelsHash& hash) const { return hash.low; }
  };
  using Entries = boost::unordered_flat_map<LabelsHash, Entry, Low>;
  static_assert(sizeof(Entries::value_type) == 32);
  // What a customer holds, and how much of it is to go: what nobody has asked for, then the rest.
  struct Share;
  using Shares = std::unordered_map<std::uint32_t, Share>;

  void forget_some(std::size_t size_max);
  Shares shares() const;
  static void choose(Shares& shares, std::size_t surplus);

  Entries entries_;
  std::size_t bytes_max_ = 0;
  std::size_t size_max_ = 0;  // what fits into that
};

}  // namespace vigia::storage::store
