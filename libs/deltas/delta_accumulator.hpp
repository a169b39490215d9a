// Makes sums and histograms that count since the last report (deltas) count since a fixed start
// (cumulative), which is what Prometheus stores. OpenTelemetry data model, "Sums:
// Delta-to-Cumulative".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/deltas/delta_request.hpp"
#include "libs/deltas/fault.hpp"
#include "libs/deltas/point_sum.hpp"
#include "libs/deltas/stream_key.hpp"
#include "libs/deltas/stream_state.hpp"

namespace vigia::deltas {

/// What several accumulators of one thread have together. Half of it is parted equally among all
/// who may come, whoever came before; of the other half each may have twice what is free.
struct SharedRoom {
  std::size_t bytes_max = 0;
  std::size_t sharers = 1;  ///< who may come; after a change each accumulator is to `recount`
  std::size_t used = 0;     ///< by all of them, what is not committed yet included
  std::size_t beyond = 0;   ///< of that what is beyond their parts
  std::size_t part() const { return bytes_max / 2 / (sharers == 0 ? 1 : sharers); }
};

struct AccumulatorSettings {
  std::size_t streams_max = 20'000;
  std::size_t bytes_max = 32U << 20U;  ///< of all states
  /// A stream that reports nothing for that long begins anew, with a new start time, once its room
  /// is needed or forget_idle is called.
  Duration idle_max = std::chrono::hours(1);
  /// Refused points are left out of the body; else they stay in it as they came.
  bool leaves_out_refused = false;
  /// A stream begins anew where a point's start is behind all that was added: somebody else may
  /// have had what lies between, and this one's sum would stand beside a newer one of theirs.
  bool restarts_at_gaps = false;
  SharedRoom* room = nullptr;
};

/// States of one owner's streams. Points of a request are added in order of their times, and made
/// ones of one stream stand in the body in that order, too. A point of a time that its stream has
/// is refused; a late one is added, and written a millisecond behind the last. What ends in a point
/// without a recorded value begins anew afterwards; so does a histogram of other bounds.
///
/// A point that is more than kAheadMax ahead of our clock adds to its stream and goes on as it is;
/// it moves no stream's time, so that the right ones after it keep theirs. A stream whose own time
/// is that far ahead (our clock was) begins anew.
///
/// Thread contract: one thread.
class DeltaAccumulator {
 public:
  explicit DeltaAccumulator(const Clock& clock, AccumulatorSettings settings = {});
  ~DeltaAccumulator();
  DeltaAccumulator(const DeltaAccumulator&) = delete;
  DeltaAccumulator& operator=(const DeltaAccumulator&) = delete;

  /// The request with its delta sums and histograms made cumulative. What it adds, with what others
  /// did since, counts only from `commit`; `discard` forgets it, for requests that were not taken
  /// and will come again.
  ///
  /// kInvalid where the body is no metrics request; kTooLarge where it would become more than
  /// kMadeBytesMax: a point of one bucket becomes one of all that its stream has. Then `discard`
  /// must follow.
  Result<std::string> rewrite(std::string_view body, PointJudge& judge);
  void commit();
  void discard();

  /// What the last request has changed: states as they are with it, and ends
  /// (docs/formats/delta-states.md).
  std::string changes() const;
  /// The same of all that was committed.
  std::string all() const;
  /// What `changes` or `all` gave, in the order in which it was given. kCorrupt where it is not
  /// that; what stands before the damage is taken then.
  Result<void> restore(std::string_view changes);
  void forget_idle();
  /// Brings the room's figures up to date with its sharers.
  void recount();

  std::size_t streams() const { return states_.size(); }
  std::size_t bytes() const { return bytes_; }

  static constexpr std::size_t kMadeBytesMax = 32U << 20U;        ///< of one request's points
  static constexpr Duration kAheadMax = std::chrono::minutes(5);  ///< as the collector's

 private:
  struct Pending {
    StreamState state;
    std::size_t reserved = 0;  // bytes, in bytes_ or pending_growth_
    bool has_ended = false;
  };
  /// A point that was added, as it is then.
  struct Made {
    StreamKey stream;
    std::uint32_t item = 0;
    std::string bytes;
  };
  struct Now {
    std::uint64_t wall_ns = 0;
    std::uint64_t latest_ns = 0;  // what comes after is from the future
  };

  std::optional<DeltaFault> add(const DeltaPoint& point, const Now& now, std::string& made);
  std::uint64_t begin(StreamState& state, const DeltaPoint& point, const Now& now);
  Pending* state_for(const StreamKey& key, std::size_t growth);
  Pending* new_pending(const StreamKey& key, std::size_t wanted);
  bool has_room_for(std::size_t bytes) const;
  void forget_idle_now_and_then();
  void forget(const StreamKey& key);
  void keep(const StreamKey& key, StreamState state);
  void count(std::size_t more, std::size_t less);

  const Clock& clock_;
  const AccumulatorSettings settings_;
  std::unordered_map<StreamKey, StreamState, StreamKeyHash> states_;
  std::unordered_map<StreamKey, Pending, StreamKeyHash> pending_;  // changed since the last commit
  PointSum sum_;
  std::size_t bytes_ = 0;           // of states_
  std::vector<StreamKey> touched_;  // by the last request
  std::size_t pending_growth_ = 0;
  std::size_t counted_ = 0;         // of ours, in the room's `used`,
  std::size_t counted_beyond_ = 0;  // and in its `beyond`
  std::size_t pending_new_ = 0;
  std::optional<TimePoint> forgot_at_;
};

}  // namespace vigia::deltas
