#include "services/collector/memory_limiter/memory_limiter.hpp"

#include <gtest/gtest.h>

namespace vigia::collector {
namespace {

class MemoryLimiterTest : public testing::Test {
 protected:
  MemoryLimiterTest() {
    large_.set(1000);
    small_.set(10);
  }
  std::uint64_t resident() { return MemoryLimiter(0, budgets_).resident_bytes(); }

  net::ServerBudgets budgets_{100, 8000, 1U << 30U, 5};
  net::Holding large_ = budgets_.heads.open("large");
  net::Holding small_ = budgets_.heads.open("small");
};

TEST_F(MemoryLimiterTest, UnderTheLimitNobodyIsRefused) {
  const MemoryLimiter limiter(resident() * 100, budgets_);
  EXPECT_FALSE(limiter.is_over());
  EXPECT_FALSE(limiter.is_short());
  EXPECT_FALSE(large_.is_over());
}

TEST_F(MemoryLimiterTest, OverTheLimitWhoHoldsTheMostIsRefusedB7) {
  const MemoryLimiter limiter(resident() * 16 / 17, budgets_);
  EXPECT_TRUE(limiter.is_over());
  EXPECT_FALSE(limiter.is_short());
  EXPECT_TRUE(large_.is_over());
  EXPECT_FALSE(small_.is_over());
}

TEST_F(MemoryLimiterTest, FarOverTheLimitEverybodyIs) {
  const MemoryLimiter limiter(resident() / 2, budgets_);
  EXPECT_TRUE(limiter.is_short());
}

TEST_F(MemoryLimiterTest, WithoutALimitItIsNeverShort) {
  const MemoryLimiter limiter(0, budgets_);
  EXPECT_FALSE(limiter.is_over());
  EXPECT_FALSE(limiter.is_short());
}

}  // namespace
}  // namespace vigia::collector
