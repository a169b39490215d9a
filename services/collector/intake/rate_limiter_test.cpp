#include "services/collector/intake/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace vigia::collector {
namespace {

TEST(RateLimiter, AnOverdrawnBucketAsksToWaitAndRefills) {
  ManualClock clock(0);
  RateLimiter limiter(clock);
  const auto customer = *CustomerId::parse("a");
  EXPECT_FALSE(limiter.charge(customer, 100, 900));
  EXPECT_FALSE(limiter.charge(customer, 100, 500));  // 100 were left; overdrawn by 400
  const auto wait = limiter.charge(customer, 100, 1);
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(*wait, std::chrono::seconds(4));
  clock.advance(std::chrono::seconds(4));
  EXPECT_TRUE(limiter.charge(customer, 100, 1).has_value());  // exactly empty
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(limiter.charge(customer, 100, 1));
}

TEST(RateLimiter, CustomersDoNotShare) {
  ManualClock clock(0);
  RateLimiter limiter(clock);
  EXPECT_FALSE(limiter.charge(*CustomerId::parse("a"), 1, 1000));
  EXPECT_TRUE(limiter.charge(*CustomerId::parse("a"), 1, 1).has_value());
  EXPECT_FALSE(limiter.charge(*CustomerId::parse("b"), 1, 1));
  EXPECT_FALSE(limiter.charge(*CustomerId::parse("a"), 0, 1'000'000));
}

}  // namespace
}  // namespace vigia::collector
