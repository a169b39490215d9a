// How fast a customer's people may change things.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "libs/base/clock.hpp"

namespace vigia::monitor::access {

struct ChangeRateLimits {
  std::size_t burst;
  Duration each;  ///< from then on one in so long
};

/// Each change is a row of the audit log, which is never cut, and a turn at the database's only
/// writer: a script that creates and revokes without end would take both from everybody. Memory: an
/// entry for each customer that has changed something since its burst was full. Thread contract:
/// any thread.
class ChangeRate {
 public:
  ChangeRate(const Clock& clock, ChangeRateLimits limits) : clock_(clock), limits_(limits) {}
  /// Takes one, or says how long to wait for it.
  std::optional<Duration> take(const std::string& customer);

 private:
  const Clock& clock_;
  const ChangeRateLimits limits_;
  std::mutex mutex_;
  /// When the burst will be full again (GCRA); guarded by mutex_.
  std::unordered_map<std::string, TimePoint> full_at_;
};

}  // namespace vigia::monitor::access
