// One shard of the series cache: resources, their series, and an index over them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/series/forms_pool.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/series/turn_mutex.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"

namespace vigia::series {

inline constexpr std::uint32_t kNoEntry = 0xffffffffU;
/// A slot has 24 bits for an entry, and all of them set is none.
inline constexpr std::uint32_t kEntriesMax = (1U << 24U) - 1;

/// A resource of a customer, kept while one of its series is.
struct ResourceEntry {
  SeriesKey key;
  wire::prometheus::ResourceLabels labels;
  std::uint32_t number = 0;               // in its shard
  ActiveSeries* active_series = nullptr;  // of its customer
  std::uint32_t points = 0;               // entries that refer to it
  std::uint32_t pins = 0;                 // walks that are inside it: it stays even without entries
};

/// What one OTLP data point's identity has become: one series, or the several of a histogram. There
/// are millions: no byte that can be done without.
struct PointEntry {
  SeriesKey key;
  const char* forms = nullptr;  // own-labels forms, in the shard's pool
  std::uint32_t forms_bytes = 0;
  std::uint32_t resource = 0;  // its number
  std::uint32_t used_s = 0;    // when last asked for
  std::uint16_t series = 0;
  RejectReason fault = RejectReason::kNone;
  bool is_used : 1 = false;    // false: on the free list
  bool is_counted : 1 = true;  // as the customer's active series
};
static_assert(sizeof(PointEntry) == 40);

/// Which of some entries goes: cheap, and no secret.
class Chance {
 public:
  /// Of 0 … bound - 1; bound is not 0.
  std::uint32_t below(std::uint32_t bound) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 17U;
    state_ ^= state_ << 5U;
    return static_cast<std::uint32_t>((std::uint64_t{state_} * bound) >> 32U);
  }

 private:
  std::uint32_t state_ = 0x9E3779B9U;
};

/// Thread contract: hold `mutex` for every call.
struct SeriesCache::Shard {
  /// `total_bytes` is that of all shards, shared by them.
  Shard(const SeriesCacheSettings& cache_settings, std::atomic<std::uint64_t>& total_bytes);

  /// Null where it is not there.
  PointEntry* find(const SeriesKey& key) { return entry_or_null(number_of(key)); }
  /// Its number, for has(); kNoEntry where it is not there.
  std::uint32_t number_of(const SeriesKey& key) const;
  /// Whether the entry of this number has the key: one look, where number_of takes two.
  bool has(std::uint32_t number, const SeriesKey& key) const {
    return number < entries_ && at(number).is_used && at(number).key == key;
  }
  PointEntry& entry(std::uint32_t number) { return at(number); }
  /// Brings what find will read into the processor's cache: first the slot, then, when that has had
  /// its time, the entry.
  void prefetch_slot(const SeriesKey& key) const;
  void prefetch_entry(const SeriesKey& key) const;
  void prefetch(std::uint32_t number) const;
  /// Puts a new entry with these forms in. Its address holds until the next insert or sweep.
  PointEntry& insert(PointEntry entry, std::string_view forms);
  /// What an entry with these forms would add to them.
  std::uint64_t bytes_for(std::string_view forms) const { return forms_.bytes_for(forms); }
  /// Lets idle entries go, and the longest unused of this shard until the cache has room for
  /// `incoming` bytes of labels: what comes makes its own room, not that of others. Looks at a few
  /// entries a call, at more only for large ones.
  void sweep(std::uint32_t now_s, std::uint64_t incoming = 0);
  /// No entry can be added: more than can be numbered.
  bool is_full() const { return free_.empty() && entries_ == kEntriesMax; }

  ResourceEntry* find_resource(const SeriesKey& key);
  ResourceEntry& insert_resource(ResourceEntry entry);
  /// Ends a walk inside the resource, which goes where it has no entries (it was refused, say).
  void unpin(ResourceEntry& resource);

  TurnMutex mutex;
  std::uint64_t series = 0;
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;

 private:
  struct KeyHash {
    std::size_t operator()(const SeriesKey& key) const noexcept { return key.low; }
  };
  /// Number of an entry, and eight bits of its key, so that a look at another one's entry is rare.
  class Slot {
   public:
    Slot() = default;
    Slot(const SeriesKey& key, std::uint32_t entry) : bits_(tag_of(key) | entry) {}
    bool is_empty() const { return bits_ == kNoEntry; }
    bool may_be(const SeriesKey& key) const { return (bits_ & ~kNumberMask) == tag_of(key); }
    std::uint32_t entry() const { return bits_ & kNumberMask; }

   private:
    static constexpr std::uint32_t kNumberMask = kEntriesMax;
    static std::uint32_t tag_of(const SeriesKey& key) {
      return static_cast<std::uint32_t>(key.low) & ~kNumberMask;
    }
    std::uint32_t bits_ = kNoEntry;
  };
  static constexpr std::size_t kPage = 256;  // entries that are allocated together, and never move

  PointEntry* entry_or_null(std::uint32_t number) {
    return number == kNoEntry ? nullptr : &at(number);
  }
  PointEntry& at(std::uint32_t entry) { return pages_[entry / kPage][entry % kPage]; }
  const PointEntry& at(std::uint32_t entry) const { return pages_[entry / kPage][entry % kPage]; }
  std::size_t slot_of(const SeriesKey& key) const { return key.high & (slots_.size() - 1); }
  /// One look at kSweepEntries entries. True where it let one go that was in use.
  bool sweep_some(std::uint32_t now_s, std::uint64_t incoming);
  void grow();
  void remove(std::uint32_t index, std::uint32_t now_s);
  void erase_slot(std::size_t slot);
  void erase_if_unused(ResourceEntry& resource);

  SeriesCacheSettings settings_;
  std::atomic<std::uint64_t>& total_bytes_;
  std::vector<std::unique_ptr<PointEntry[]>> pages_;
  std::uint32_t entries_ = 0;  // in the pages, free ones included
  std::vector<std::uint32_t> free_;
  std::vector<Slot> slots_;  // open addressing, linear probing
  std::uint32_t hand_ = 0;   // where the next sweep looks
  Chance random_;
  FormsPool forms_;
  std::unordered_map<SeriesKey, std::unique_ptr<ResourceEntry>, KeyHash> resources_;
  std::vector<ResourceEntry*> numbered_;  // null: free
  std::vector<std::uint32_t> free_numbers_;
};

}  // namespace vigia::series
