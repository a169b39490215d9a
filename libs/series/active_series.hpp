// How many series of a customer are active: those in the cache, and those that have left it and
// that a store still keeps in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "libs/series/series_key.hpp"

namespace vigia::series {

/// Numbers of 64 bits, no two with the same upper 48: a hash, and a weight in the rest. A slot
/// takes 8 bytes, at most half of them are taken. Thread contract: one thread.
class WeightedHashes {
 public:
  /// 0 where it is not there.
  std::uint16_t find(std::uint64_t hash) const;
  void insert(std::uint64_t hash, std::uint16_t weight);
  /// Its weight becomes 0.
  void erase(std::uint64_t hash);
  std::uint64_t bytes() const { return slots_.capacity() * sizeof(std::uint64_t); }
  std::size_t size() const { return used_; }

 private:
  std::size_t slot_of(std::uint64_t hash) const;
  void grow();
  std::vector<std::uint64_t> slots_;
  std::size_t used_ = 0;  // erased ones included
};

/// What is remembered of all customers' series that have left the cache.
struct LeftSeriesRoom {
  std::uint64_t bytes_max = 0;
  std::atomic<std::uint64_t> bytes{0};
};

/// Thread contract: any thread.
class ActiveSeries {
 public:
  /// `cache_bytes` is what the cache counts as taken: what is remembered here is of it.
  /// `kept_s`: how long a series stays active that the cache has put out, at most twice as long;
  /// 0: not at all. Over `room` nothing more is remembered: limits then hold for what is in the
  /// cache. All outlive it.
  ActiveSeries(std::atomic<std::uint64_t>& cache_bytes, LeftSeriesRoom& room, std::uint32_t kept_s)
      : cache_bytes_(cache_bytes), room_(room), kept_s_(kept_s) {}
  ~ActiveSeries() { forget(); }
  ActiveSeries(const ActiveSeries&) = delete;
  ActiveSeries& operator=(const ActiveSeries&) = delete;

  /// What a point counts for: each of its series as one, or each KiB of their labels.
  static std::uint32_t weight(std::uint32_t series, std::uint64_t label_bytes) {
    const auto kibibytes = static_cast<std::uint32_t>(label_bytes >> 10U);
    return series > kibibytes ? series : kibibytes;
  }

  std::int64_t count() const { return cached_ + put_out_; }
  /// Of a customer without a limit nothing has to be remembered.
  void set_limited(bool is_limited) { is_limited_ = is_limited; }
  /// A point's series have come into the cache.
  void enter(const SeriesKey& point, std::uint32_t weight);
  /// They leave it, since nothing came for some time or for want of room.
  void put_out(const SeriesKey& point, std::uint32_t weight, std::uint32_t now_s);
  /// Whether the point counts already, though it is not in the cache.
  bool was_put_out(const SeriesKey& point, std::uint32_t now_s);

  /// Remembered of one customer; the limit that it has is most often the bound.
  static constexpr std::size_t kPutOutMax = 1U << 20U;

 private:
  struct Generation {
    WeightedHashes points;
    std::int64_t weight = 0;
  };
  void turn(std::uint32_t now_s);
  void count_bytes(std::uint64_t before, std::uint64_t after);
  void drop(Generation& generation);
  void forget();

  std::atomic<std::uint64_t>& cache_bytes_;
  LeftSeriesRoom& room_;
  const std::uint32_t kept_s_;
  std::atomic<bool> is_limited_{true};
  std::atomic<std::int64_t> cached_{0};
  std::atomic<std::int64_t> put_out_{0};
  std::mutex mutex_;
  Generation young_, old_;      // guarded by mutex_
  std::uint32_t turned_s_ = 0;  // likewise
};

}  // namespace vigia::series
