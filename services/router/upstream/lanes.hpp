// The rows of one store: what costs much waits apart from what costs little.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "libs/base/clock.hpp"
#include "services/router/upstream/turns.hpp"

namespace vigia::router::upstream {

enum class Lane {
  kUsual,    ///< what is known to be light
  kUnknown,  ///< queries like which none was seen: one of a customer at once
  kHeavy,    ///< queries that are known to hold much of the store: one of a customer at once
  kLookUp,   ///< names, values and lists of series
};
inline constexpr std::size_t kLanes = 4;

struct LaneSettings {
  TurnSettings usual;
  /// Of all customers together. Each may hold as much of the store as one query can (its own
  /// --query.max-samples), so these two bound its memory.
  std::size_t unknown_at_once_max = 4;
  std::size_t heavy_at_once_max = 2;
};

/// Turns for each lane; nobody in one waits for another customer's in another. Of one customer's
/// look-ups, unknown and heavy queries together as many are at the store at once as of its slow
/// ones may be: what is known to be light waits for none of them.
///
/// Operators' requests have places of their own for all that is not known to be light. The monitor
/// sees the nodes of all customers by them: behind a few customers' heavy queries it saw nobody's.
/// Any thread.
class Lanes {
 public:
  /// Of operators' look-ups, unknown and heavy queries together; beside those of customers.
  static constexpr std::size_t kOperatorsAtOnceMax = 2;
  /// Of these, requests that have longer than kBriefMax: a dashboard's query over months leaves a
  /// place to what the monitor asks, which has less (10 s, and 5 s more for the answer's way).
  static constexpr std::size_t kOperatorsLongAtOnceMax = 1;
  static constexpr std::chrono::seconds kBriefMax{15};

  /// The clock must outlive it and its turns.
  Lanes(const LaneSettings& settings, const Clock& clock);
  Turns& of(Lane lane) { return *turns_[static_cast<std::size_t>(lane)]; }
  /// For a request of no customer's that may take so long.
  Turns& of_operators(Lane lane, Duration timeout) {
    if (lane == Lane::kUsual) return of(lane);
    return timeout <= kBriefMax ? operators_brief_ : operators_long_;
  }

 private:
  Lanes(const LaneSettings& settings, const Clock& clock,
        const std::shared_ptr<CustomerPlaces>& costly,
        const std::shared_ptr<CustomerPlaces>& operators);

  std::array<std::unique_ptr<Turns>, kLanes> turns_;
  Turns operators_brief_;
  Turns operators_long_;
};

}  // namespace vigia::router::upstream
