#include "services/collector/memory_limiter/memory_limiter.hpp"

#include <atomic>
#include <future>
#include <new>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::collector {
namespace {

class MemoryLimiterTest : public testing::Test {
 protected:
  MemoryLimiterTest() {
    large_.set(1000);
    small_.set(10);
  }
  std::uint64_t resident() { return MemoryLimiter(0, budgets_).resident_bytes(); }

  net::ServerBudgets budgets_{100, 8000, 1U << 30U, 5, 8000};
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

TEST_F(MemoryLimiterTest, FarOverTheLimitEverybodyIsWhoHoldsMoreThanLittle) {
  net::Holding little = budgets_.heads.open("little");
  little.set(5);
  const MemoryLimiter limiter(resident() / 2, budgets_);
  EXPECT_TRUE(limiter.is_short());
  EXPECT_TRUE(large_.is_over());
  EXPECT_TRUE(small_.is_over());
  EXPECT_FALSE(little.is_over());
  EXPECT_TRUE(budgets_.bodies.is_shut());
}

TEST_F(MemoryLimiterTest, AFaultOfALookCostsThatLookAlone) {
  const std::uint64_t before = fault_count();
  std::atomic<int> looks{0};
  std::promise<void> looked_on;
  const MemoryLimiter limiter(100, budgets_, [&]() -> std::uint64_t {
    const int look = ++looks;
    if (look == 3) throw std::bad_alloc();  // the first two are the constructor's
    if (look == 4) looked_on.set_value();
    return look > 3 ? 1000 : 10;
  });
  EXPECT_FALSE(limiter.is_short());
  looked_on.get_future().wait();
  EXPECT_EQ(fault_count(), before + 1);
}

TEST_F(MemoryLimiterTest, WithoutALimitItIsNeverShort) {
  const MemoryLimiter limiter(0, budgets_);
  EXPECT_FALSE(limiter.is_over());
  EXPECT_FALSE(limiter.is_short());
}

}  // namespace
}  // namespace vigia::collector
