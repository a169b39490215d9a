// What each customer may send a second: points, spans, log records, bytes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "libs/tenancy/directory.hpp"

namespace vigia::collector::intake {

/// What a request costs its sender.
struct RequestCost {
  Signal signal = Signal::kMetrics;
  std::uint64_t items = 0;  ///< and the envelopes that hold none
  std::uint64_t bytes = 0;
};

/// Token buckets, kBurst_s seconds of its rate large, one for each limit of a customer. A request
/// may overdraw a bucket, by kOverdraft_s seconds of its rate (where that is little: by a small
/// request) and never by more: what is larger than bucket and overdraft together can never pass.
/// Where several collectors stand behind a balancer each grants its part of every rate.
/// Thread contract: any thread.
class RateLimiter {
 public:
  /// `collectors`: at least 1.
  explicit RateLimiter(const Clock& clock, std::uint32_t collectors = 1)
      : clock_(clock), collectors_(collectors) {}

  /// Takes the cost off all its buckets, or off none of them: kOverLimit with the time to wait
  /// where the same request may pass later, kTooLarge where it never will. Both name the limit.
  Result<void> charge(const CustomerId& customer, const tenancy::Limits& limits,
                      const RequestCost& cost);
  /// What charge would say now, taking nothing off.
  Result<void> ask(const CustomerId& customer, const tenancy::Limits& limits,
                   const RequestCost& cost);
  /// Takes the cost off whatever is in the buckets, down to their overdraft: for work that was
  /// done on a request that is refused for good.
  void fine(const CustomerId& customer, const tenancy::Limits& limits, const RequestCost& cost);

 private:
  struct Bucket {
    double left = 0;
    TimePoint filled{};
    bool is_new = true;
  };
  static constexpr std::size_t kKinds = 4;
  using Buckets = std::array<Bucket, kKinds>;
  /// One limit as it meets one cost.
  struct Draft {
    std::string_view limit;  ///< its key
    std::string_view unit;
    std::uint64_t per_second = 0;  ///< as the directory has it; 0: no limit
    double rate = 0;               ///< this collector's part of it
    double cost = 0;
    double overdraft = 0;
    Bucket* bucket = nullptr;
  };

  /// REQUIRES: mutex_ is held.
  std::array<Draft, 2> drafts(const CustomerId& customer, const tenancy::Limits& limits,
                              const RequestCost& cost);
  Result<void> judge(const Draft& draft) const;

  const Clock& clock_;
  const std::uint32_t collectors_;
  std::mutex mutex_;
  std::map<CustomerId, Buckets> buckets_;  // as many as customers with a limit
};

}  // namespace vigia::collector::intake
