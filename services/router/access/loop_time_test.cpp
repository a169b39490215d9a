#include "services/router/access/loop_time.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

using namespace std::chrono_literals;

TEST(LoopTime, WhoHasTakenHisPartHasNoneLeftAndNobodyElseIsTouched) {
  ManualClock clock{0};
  LoopTime time(clock);
  EXPECT_TRUE(time.has_left("a"));
  time.spend("a", LoopTime::kBurst - 1us);
  EXPECT_TRUE(time.has_left("a"));
  time.spend("a", 40ms);
  EXPECT_FALSE(time.has_left("a"));
  EXPECT_TRUE(time.has_left("b"));
  EXPECT_TRUE(time.has_left(""));
}

TEST(LoopTime, ItComesBackWithTimeAndNeverAboveTheBurst) {
  ManualClock clock{0};
  LoopTime time(clock);
  time.spend("a", LoopTime::kBurst + 40ms);
  clock.advance(199ms);
  EXPECT_FALSE(time.has_left("a"));
  clock.advance(2ms);
  EXPECT_TRUE(time.has_left("a"));
  clock.advance(std::chrono::hours(1));
  time.spend("a", LoopTime::kBurst);
  EXPECT_FALSE(time.has_left("a"));
}

TEST(LoopTime, WhoTakesLittleAlwaysHasSome) {
  ManualClock clock{0};
  LoopTime time(clock);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(time.has_left("a")) << i;
    time.spend("a", 150us);
    clock.advance(1ms);
  }
}

/// Many others do not wash his debt away.
TEST(LoopTime, ADebtIsRememberedBesideAnyNumberOfOthers) {
  ManualClock clock{0};
  LoopTime time(clock);
  time.spend("a", 10s);
  for (int i = 0; i < 10'000; ++i) time.spend(fmt::format("other-{}", i), 1us);
  clock.advance(1s);
  for (int i = 0; i < 10'000; ++i) time.spend(fmt::format("other-{}", i), 1us);
  EXPECT_FALSE(time.has_left("a"));
  EXPECT_TRUE(time.has_left("other-1"));
}

TEST(LoopTime, WorkIsSpentAtItsEnd) {
  ManualClock clock{0};
  LoopTime time(clock);
  const std::string customer = "a";
  {
    const LoopWork work(time, customer);
    const Duration began = LoopTime::worked();
    while (LoopTime::worked() - began <= LoopTime::kBurst) {
    }
    EXPECT_TRUE(time.has_left(customer));
  }
  EXPECT_FALSE(time.has_left(customer));
}

}  // namespace
}  // namespace vigia::router::access
