// points_per_second of each customer.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"

namespace vigia::collector {

/// A token bucket a customer, as large as kBurst_s seconds of its rate. A request passes while the
/// bucket is not empty and may overdraw it, so that one larger than the bucket is slowed and not
/// refused for ever. Thread contract: any thread.
class RateLimiter {
 public:
  explicit RateLimiter(const Clock& clock) : clock_(clock) {}

  /// Nothing where the items may pass; else how long until the bucket holds something again.
  /// `per_second` 0 is no limit.
  std::optional<Duration> charge(const CustomerId& customer, std::uint64_t per_second,
                                 std::uint64_t items);

 private:
  struct Bucket {
    double points = 0;
    TimePoint filled{};
    bool is_new = true;
  };

  const Clock& clock_;
  std::mutex mutex_;
  std::map<CustomerId, Bucket> buckets_;  // as many as customers with a limit
};

}  // namespace vigia::collector
