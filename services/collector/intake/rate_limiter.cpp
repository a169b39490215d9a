#include "services/collector/intake/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

#include "services/collector/limits.hpp"

namespace vigia::collector {

std::optional<Duration> RateLimiter::charge(const CustomerId& customer, std::uint64_t per_second,
                                            std::uint64_t items) {
  if (per_second == 0) return std::nullopt;
  const auto rate = static_cast<double>(per_second);
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  Bucket& bucket = buckets_[customer];
  if (bucket.is_new) {
    bucket = {rate * kBurst_s, now, false};
  } else {
    const double elapsed_s = std::chrono::duration<double>(now - bucket.filled).count();
    bucket.points = std::min(rate * kBurst_s, bucket.points + elapsed_s * rate);
    bucket.filled = now;
  }
  if (bucket.points <= 0) {
    const double wait_s = std::max(1.0, std::ceil(-bucket.points / rate));
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait_s));
  }
  bucket.points -= static_cast<double>(items);
  return std::nullopt;
}

}  // namespace vigia::collector
