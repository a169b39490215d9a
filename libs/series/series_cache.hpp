// What is known of each series: hash of the encoded bytes that name it → its label bytes, ready to
// send, and whether it may be taken at all. Shared by intake, which decides, and exporters, which
// send.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/series/active_series.hpp"
#include "libs/series/series_key.hpp"

namespace vigia::series {

struct SeriesCacheSettings {
  std::uint64_t bytes_max = 256U << 20U;  ///< over it the longest unused entries go
  /// A series without a sample for this long leaves the cache.
  Duration idle_max = std::chrono::minutes(20);
  /// It stays active for this long after it has left, at most twice as long: Prometheus has a
  /// series in its head for one to three hours after its last sample, whatever comes.
  Duration kept_by_stores = std::chrono::minutes(80);
};

struct SeriesCacheStats {
  std::uint64_t series = 0;
  std::uint64_t bytes = 0;  ///< estimate: entries, index, label bytes
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;  ///< by bytes_max, while still in use
};

/// Thread contract: any thread. Split in shards with a lock each; a shard is chosen by resource and
/// locked once for all points of a resource.
class SeriesCache {
 public:
  /// `clock` must outlive the cache.
  SeriesCache(SeriesCacheSettings settings, const Clock& clock);
  ~SeriesCache();
  SeriesCache(const SeriesCache&) = delete;
  SeriesCache& operator=(const SeriesCache&) = delete;

  SeriesCacheStats stats() const;
  /// Of one customer. Lives as long as the cache.
  ActiveSeries& active_series(const CustomerId& customer);
  /// Attribute keys that were joined to another's label, in series that were new here.
  void count_collisions(const CustomerId& customer, std::uint64_t joined);
  /// By customer, of those that had any.
  std::map<CustomerId, std::uint64_t> collisions() const;
  /// Likewise for series that no customer is asked about: those of an exporter's own view.
  ActiveSeries& uncounted_series() { return uncounted_series_; }

  // For series_resolver.cpp alone.
  struct Shard;  // series_shard.hpp
  static constexpr std::size_t kShards = 64;
  Shard& shard(const SeriesKey& resource);
  /// Hash under the process' secret: what a sender knows cannot steer it.
  SeriesKey hash(std::string_view bytes) const;
  std::uint32_t now_s() const;

 private:
  SeriesCacheSettings settings_;
  const Clock& clock_;
  std::string secret_;
  std::atomic<std::uint64_t> total_bytes_{0};
  LeftSeriesRoom left_series_;
  ActiveSeries uncounted_series_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
  mutable std::mutex customers_mutex_;
  std::map<CustomerId, std::unique_ptr<ActiveSeries>> customers_;
  std::map<CustomerId, std::uint64_t> collisions_;  // guarded by customers_mutex_
};

}  // namespace vigia::series
