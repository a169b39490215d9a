// Makes sums and histograms that count since the last report (deltas) count since a fixed start
// (cumulative), which is what Prometheus stores. The agent is the one writer of its node's series,
// so here is the place for it. OpenTelemetry data model, "Sums: Delta-to-Cumulative".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/deltas/exponential_sum.hpp"
#include "libs/deltas/stream_key.hpp"

namespace vigia::deltas {

/// What has been added up for one series.
struct DeltaState {
  std::uint64_t start_ns = 0;
  std::uint64_t time_ns = 0;  ///< of the last point that was written, those from the future apart
  TimePoint used_at{};
  bool is_double = false;
  std::int64_t whole = 0;
  double real = 0;  ///< of a sum that is no integer; of a histogram its sum
  std::uint64_t count = 0;
  std::vector<std::uint64_t> buckets;
  std::string bounds;  ///< as encoded; others begin a new state
  ExponentialSum exponential;

  std::size_t bytes() const;
};

/// Thread contract: one thread.
class DeltaAccumulator {
 public:
  explicit DeltaAccumulator(const Clock& clock) : clock_(clock) {}

  /// The request with its delta sums and histograms made cumulative. What it adds counts only from
  /// `commit`; `discard` forgets it, for a request that was not taken and will come again. Points
  /// whose series would be one more than kSeriesMax or kBytesMax allow are left out
  /// (points_left_out): nobody behind the agent could add them up. May throw protozero::exception
  /// on damaged points.
  ///
  /// A point that is more than kAheadMax ahead of this node's clock adds to its series and goes on
  /// as it is; it moves no series' time, so that the right ones after it keep theirs. A series
  /// whose own time is that far ahead (this node's clock was) begins anew.
  ///
  /// kTooLarge where it would become more than kMadeBytesMax: a point of one bucket becomes one of
  /// all that its series has.
  Result<std::string> rewrite(std::string_view body);
  /// By the last rewrite.
  std::uint32_t points_left_out() const { return points_left_out_; }
  void commit();
  void discard();

  std::size_t series() const { return states_.size(); }

  static constexpr std::size_t kSeriesMax = 20'000;
  static constexpr std::size_t kBytesMax = 32U << 20U;            ///< of all states
  static constexpr std::size_t kMadeBytesMax = 32U << 20U;        ///< of one request's points
  static constexpr Duration kAheadMax = std::chrono::minutes(5);  ///< as the collector's
  /// A series that reports nothing for that long begins anew, with a new start time.
  static constexpr Duration kIdleMax = std::chrono::hours(1);

 private:
  friend class DeltaRewrite;
  /// The state to add to, from this request or before; nothing where no more may be made, or it
  /// would grow to more than the limit. `growth`: what its buckets take after this point.
  DeltaState* state_for(const StreamKey& key, std::size_t growth);
  DeltaState* new_pending(const StreamKey& key, std::size_t wanted);
  bool has_room_for(std::size_t bytes) const;
  /// Once a second: whoever is over the limit comes with each of its points.
  void forget_idle();

  struct Pending {
    DeltaState state;
    std::size_t reserved = 0;  // bytes, in bytes_ or pending_growth_
  };

  using States = std::unordered_map<StreamKey, DeltaState, StreamKeyHash>;
  const Clock& clock_;
  States states_;
  std::unordered_map<StreamKey, Pending, StreamKeyHash> pending_;  // changed by the request at hand
  std::vector<StreamKey> ended_;                                   // marked as ended by it
  std::size_t bytes_ = 0;                                          // of states_
  std::size_t pending_growth_ = 0;
  std::optional<TimePoint> forgot_at_;
  std::uint32_t points_left_out_ = 0;
};

}  // namespace vigia::deltas
