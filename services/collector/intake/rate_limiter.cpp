#include "services/collector/intake/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "services/collector/intake/limits.hpp"

namespace vigia::collector::intake {
namespace {

struct Limit {
  std::size_t kind = 0;
  std::string_view key;
  std::string_view unit;
  std::uint64_t per_second = 0;
};

Limit limit_of(Signal signal, const tenancy::Limits& limits) {
  switch (signal) {
    case Signal::kTraces:
      return {1, "spans_per_second", "spans", limits.spans_per_second};
    case Signal::kLogs:
      return {2, "log_records_per_second", "log records", limits.log_records_per_second};
    case Signal::kMetrics:
      break;
  }
  return {0, "points_per_second", "data points", limits.points_per_second};
}

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

}  // namespace

std::array<RateLimiter::Draft, 2> RateLimiter::drafts(const CustomerId& customer,
                                                      const tenancy::Limits& limits,
                                                      const RequestCost& cost) {
  const TimePoint now = clock_.steady();
  const auto draft = [&](const Limit& limit, std::uint64_t asked, double overdraft_min) {
    const double rate = static_cast<double>(limit.per_second) / collectors_;
    Draft made{limit.key, limit.unit, limit.per_second, rate, static_cast<double>(asked),
               0,         nullptr};
    if (limit.per_second == 0) return made;
    made.overdraft = std::max(rate * kOverdraft_s, overdraft_min);
    made.bucket = &buckets_[customer][limit.kind];
    Bucket& bucket = *made.bucket;
    const double elapsed_s = std::chrono::duration<double>(now - bucket.filled).count();
    const double full = rate * kBurst_s;
    bucket.left = bucket.is_new ? full : std::min(full, bucket.left + elapsed_s * rate);
    bucket.filled = now;
    bucket.is_new = false;
    return made;
  };
  const Limit bytes{3, "bytes_per_second", "bytes", limits.bytes_per_second};
  return {draft(limit_of(cost.signal, limits), cost.items, kOverdraftItemsMin),
          draft(bytes, cost.bytes, kOverdraftBytesMin)};
}

Result<void> RateLimiter::judge(const Draft& draft) const {
  if (draft.bucket == nullptr) return {};
  const double rate = draft.rate;
  const std::string among =
      collectors_ == 1 ? "" : fmt::format(" among {} collectors", collectors_);
  const double largest = rate * kBurst_s + draft.overdraft;
  if (draft.cost > largest) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("{:.0f} {} in one request, and {:.0f} may be at the customer's {} of "
                            "{}{}; send them in smaller requests",
                            draft.cost, draft.unit, largest, draft.limit, draft.per_second, among));
  }
  const double left = draft.bucket->left;
  // One request may overdraw, and is paid for by the wait after it: else a request larger than a
  // second's rate could never come, however quiet the customer was.
  if (left > 0 && draft.cost <= left + draft.overdraft) return {};
  const double needed = std::max(0.0, draft.cost - draft.overdraft);
  const double wait_s = std::max(1.0, std::ceil((needed - left) / rate));
  return tl::unexpected<Error>(
      Error{ErrorCode::kOverLimit,
            fmt::format("over the customer's {} of {}{}; send again in {:.0f} s", draft.limit,
                        draft.per_second, among, wait_s),
            seconds(wait_s)});
}

Result<void> RateLimiter::charge(const CustomerId& customer, const tenancy::Limits& limits,
                                 const RequestCost& cost) {
  const std::lock_guard lock(mutex_);
  const auto all = drafts(customer, limits, cost);
  // All limits are asked before any is charged: a request that is refused for its bytes has not
  // used up points.
  for (const Draft& draft : all) {
    if (auto judged = judge(draft); !judged) return judged;
  }
  for (const Draft& draft : all) {
    if (draft.bucket != nullptr) draft.bucket->left -= draft.cost;
  }
  return {};
}

Result<void> RateLimiter::ask(const CustomerId& customer, const tenancy::Limits& limits,
                              const RequestCost& cost) {
  const std::lock_guard lock(mutex_);
  for (const Draft& draft : drafts(customer, limits, cost)) {
    if (auto judged = judge(draft); !judged) return judged;
  }
  return {};
}

void RateLimiter::fine(const CustomerId& customer, const tenancy::Limits& limits,
                       const RequestCost& cost) {
  const std::lock_guard lock(mutex_);
  for (const Draft& draft : drafts(customer, limits, cost)) {
    if (draft.bucket == nullptr) continue;
    // Down to the overdraft and no further: a fine is a wait, not a ban.
    draft.bucket->left = std::max(draft.bucket->left - draft.cost, -draft.overdraft);
  }
}

}  // namespace vigia::collector::intake
