// From when on one hot shard is known to hold everything.
#pragma once

#include <optional>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router {

/// The unbroken run of heartbeats that ends at the newest one. A heartbeat says that the collector
/// delivers to this shard; a hole longer than `gap_max` says that something may be missing there.
/// Not thread-safe.
class ShardCoverage {
 public:
  explicit ShardCoverage(Duration gap_max) : gap_max_ms_(gap_max.count() / 1'000'000) {}

  /// Forgets everything: nothing is covered until the next `replace`.
  void forget();
  /// All heartbeats that the shard holds, sorted.
  void replace(const std::vector<TimestampMs>& beats);
  /// Newer heartbeats, sorted; those already known are passed over.
  void append(const std::vector<TimestampMs>& beats);

  /// Start of the run. Nothing where no heartbeat is known or the newest is older than `gap_max`.
  std::optional<TimestampMs> covered_from(TimestampMs now_ms) const;
  bool is_known() const { return count_ > 0; }
  TimestampMs first_ms() const { return first_ms_; }
  TimestampMs last_ms() const { return last_ms_; }
  /// Heartbeats of the run. Fewer in the shard means that it has lost data since.
  std::size_t count() const { return count_; }

 private:
  TimestampMs gap_max_ms_;
  TimestampMs first_ms_ = 0;
  TimestampMs last_ms_ = 0;
  std::size_t count_ = 0;
};

}  // namespace vigia::router
