// From when on one hot shard is known to hold everything.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router::coverage {

/// Times of heartbeats, sorted, by the collector that wrote them. "" is a collector of the time
/// before heartbeats named theirs.
using BeatsByCollector = std::map<std::string, std::vector<TimestampMs>>;

/// A heartbeat says that its collector has delivered to this shard all that it had taken; a hole
/// longer than `gap_max` says that something of that collector's may be missing there. Customers
/// send through any of the collectors, so the youngest hole of all of them counts. A collector that
/// has been silent for `kForgottenAfter` is taken for one that was removed.
/// A heartbeat is written some seconds after its minute: what was received between the two may have
/// gone to a store that was replaced before the heartbeat came. So a run covers from kSettle after
/// its first heartbeat on, when the second was due.
/// Not thread-safe.
class ShardCoverage {
 public:
  /// The unbroken run of heartbeats that ends at a collector's newest one.
  struct Run {
    TimestampMs first_ms = 0;
    TimestampMs last_ms = 0;
    std::size_t count = 0;          ///< of the run; fewer in the shard: it has lost data since
    bool is_after_a_hole = false;   ///< older heartbeats are known
    TimestampMs known_from_ms = 0;  ///< of the collector's first heartbeat of all
  };

  /// Or gap_max, where that is shorter.
  static constexpr auto kSettle = std::chrono::minutes(1);
  static constexpr auto kForgottenAfter = std::chrono::hours(24);
  /// Clocks of two machines may differ by less.
  static constexpr auto kAheadMin = std::chrono::minutes(10);

  explicit ShardCoverage(Duration gap_max) : gap_max_ms_(gap_max.count() / 1'000'000) {}

  /// Forgets everything: nothing is covered until the next `replace`.
  void forget() { runs_.clear(); }
  /// All heartbeats that the shard holds.
  void replace(BeatsByCollector beats);
  /// Newer heartbeats; those already known are passed over.
  void append(const BeatsByCollector& beats);

  /// The newest heartbeat of each collector that lies more than kAheadMin after `now_ms`; all of
  /// them. A wrong clock has written them, with all between, which say nothing: no later loss shows
  /// there, nor that the collector has stopped. So nothing is covered until the last of them, and
  /// from there on what comes after.
  void note_ahead(const std::map<std::string, TimestampMs>& newest, TimestampMs now_ms);

  /// kSettle after the end of the youngest hole, or after the shard's first heartbeat; it may lie
  /// after `now_ms`. Nothing where no heartbeat is
  /// known, or where a collector's newest is older than `gap_max`: its hole is not over yet.
  std::optional<TimestampMs> covered_from(TimestampMs now_ms) const;
  bool is_known() const { return !runs_.empty(); }
  /// Of the collectors that count at that time.
  std::map<std::string, Run> runs(TimestampMs now_ms) const;

 private:
  TimestampMs settle_ms() const;
  static bool is_forgotten(const Run& run, TimestampMs now_ms);

  TimestampMs gap_max_ms_;
  std::map<std::string, Run> runs_;
  std::map<std::string, TimestampMs> ahead_;  // over forget: time makes the past of them
};

}  // namespace vigia::router::coverage
