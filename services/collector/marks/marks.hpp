// What a store is told of its own completeness, by samples of the collector's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "libs/model/ids.hpp"
#include "services/collector/marks/cold_holes.hpp"
#include "services/collector/marks/heartbeat.hpp"

namespace vigia::collector::marks {

/// Whose data is not, or no longer, on its way to the store.
struct Losses {
  std::set<CustomerId> refused;  ///< by the store itself
  std::set<CustomerId> gone;     ///< damaged, or let go
};

/// How far the store has everything, but for what the log has lost.
struct Progress {
  std::int64_t complete_until_ms = 0;
  std::uint64_t lost = 0;  ///< disk_log::Cursor::lost
};

/// Thread contract: advance from one thread, the rest from any.
class Marks {
 public:
  virtual ~Marks() = default;
  /// Something was given up, nobody knows whose: on disk when this returns.
  virtual void note_loss() = 0;
  /// Something of these customers': on disk when this returns.
  virtual void note_losses(const Losses& losses) = 0;
  /// Writes what is due; a failure is tried again at the next call. `waiting`: when the oldest was
  /// received of what waits aside, by customer. Up to when all that is in the store has just been
  /// marked, ms since 1970; nothing where no mark was taken.
  virtual std::optional<std::int64_t> advance(const Progress& progress,
                                              const std::function<Heartbeat::Waiting()>& waiting,
                                              std::function<bool()> go_on) = 0;
};

/// Of a hot shard, which answers only where it is known to have no hole: what it refuses is one,
/// since cold may have taken it.
std::unique_ptr<Marks> make_hot_marks(HeartbeatSettings settings,
                                      delivery::MessageTransport& transport, const Clock& clock,
                                      clock::ConfirmedTime& time);
/// Of any other store: it is told of its holes alone. What it refuses is none: that is told to who
/// sent it, and by the counters.
std::unique_ptr<Marks> make_cold_marks(ColdHolesSettings settings,
                                       delivery::MessageTransport& transport, const Clock& clock,
                                       clock::ConfirmedTime& time);

}  // namespace vigia::collector::marks
