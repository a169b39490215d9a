// What is known of each series: hash of the encoded bytes that name it → its label bytes, ready to
// send, and whether it may be taken at all. Shared by intake, which decides, and exporters, which
// send.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::wire::prometheus {

struct SeriesCacheSettings {
  std::uint64_t bytes_max = 256U << 20U;  ///< over it the longest unused entries go
};

struct SeriesCacheStats {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;
};

/// Thread contract: any thread. Split in shards with a lock each; a shard is chosen by resource and
/// locked once for all points of a resource.
class SeriesCache {
 public:
  explicit SeriesCache(SeriesCacheSettings settings);
  ~SeriesCache();
  SeriesCache(const SeriesCache&) = delete;
  SeriesCache& operator=(const SeriesCache&) = delete;

  SeriesCacheStats stats() const;

  struct Shard;
  static constexpr std::size_t kShards = 64;
  /// The shard of a hash, to be locked by its user (series_shard.hpp).
  Shard& shard(std::uint64_t hash);
  const std::string& secret() const { return secret_; }

 private:
  std::string secret_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace vigia::wire::prometheus
