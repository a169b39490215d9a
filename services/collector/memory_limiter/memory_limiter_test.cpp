#include "services/collector/memory_limiter/memory_limiter.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <new>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"

namespace vigia::collector::memory_limiter {
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

// Before anybody is refused: what can be had again goes first, and is looked at anew.
TEST_F(MemoryLimiterTest, WhatCanBeHadAgainIsLetGoFirst) {
  std::atomic<std::uint64_t> bytes{50};
  std::atomic<int> let_go{0};
  std::promise<void> again;
  MemoryLimiter limiter(100, budgets_, {[&] { return bytes.load(); }, [] {}});
  limiter.let_go_by([&] {
    bytes = 90;
    if (let_go++ == 1) again.set_value();
  });
  EXPECT_EQ(let_go, 0);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  bytes = 120;
  while (let_go == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_FALSE(limiter.is_over());
  bytes = 120;
  ASSERT_EQ(again.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_FALSE(limiter.is_over());
  EXPECT_FALSE(large_.is_over());
  limiter.let_go_by({});
  bytes = 120;
  while (!limiter.is_over() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(limiter.is_over());
  EXPECT_EQ(let_go, 2);
}

TEST_F(MemoryLimiterTest, AFaultOfALookCostsThatLookAlone) {
  const std::uint64_t before = fault_count();
  std::atomic<int> looks{0};
  std::promise<void> looked_on;
  const auto resident_bytes = [&]() -> std::uint64_t {
    const int look = ++looks;
    if (look == 3) throw std::bad_alloc();  // the first two are the constructor's
    if (look == 4) looked_on.set_value();
    return look > 3 ? 1000 : 10;
  };
  const MemoryLimiter limiter(100, budgets_, {.resident_bytes = resident_bytes});
  EXPECT_FALSE(limiter.is_short());
  looked_on.get_future().wait();
  EXPECT_EQ(fault_count(), before + 1);
}

// What bodies had left behind among what is in use was given back at the limit only: it came on top
// of all that is counted, with each core more of it.
TEST_F(MemoryLimiterTest, NearTheLimitFreedMemoryGoesBackAsItGrows) {
  // By look, the constructor's first, which gives back in any case. Near are 1200 of 1600, and a
  // growth of 50 counts.
  const std::vector<std::uint64_t> script{10, 1199, 1201, 1250, 1252, 1300, 1302, 1000};
  std::size_t looks = 0;
  std::vector<std::size_t> given_back_at;
  std::promise<void> is_over;
  bool is_second = false;  // it looks again when it has given back
  const auto resident_bytes = [&] {
    if (!std::exchange(is_second, false) && ++looks == script.size()) is_over.set_value();
    return script[std::min(looks, script.size()) - 1];
  };
  const auto give_back = [&] {
    given_back_at.push_back(looks - 1);
    is_second = true;
  };
  {
    const MemoryLimiter limiter(1600, budgets_,
                                {.resident_bytes = resident_bytes, .give_back = give_back});
    is_over.get_future().wait();
  }
  EXPECT_EQ(given_back_at, (std::vector<std::size_t>{0, 2, 4}));
}

TEST_F(MemoryLimiterTest, WithoutALimitItIsNeverShort) {
  const MemoryLimiter limiter(0, budgets_);
  EXPECT_FALSE(limiter.is_over());
  EXPECT_FALSE(limiter.is_short());
}

}  // namespace
}  // namespace vigia::collector::memory_limiter
