#include "libs/net/internal/loop_debts.hpp"

#include <gtest/gtest.h>

namespace vigia::net::internal {
namespace {

using namespace std::chrono_literals;

TEST(LoopDebts, WhoTookALoopLongIsAwayForFiftyTimesAsLong) {
  ManualClock clock(0);
  LoopDebts debts(clock);
  EXPECT_FALSE(debts.is_away("a"));
  debts.note("a", true, 20ms);
  EXPECT_TRUE(debts.is_away("a"));
  EXPECT_FALSE(debts.is_away("b"));
  clock.advance(999ms);
  EXPECT_TRUE(debts.is_away("a"));
  clock.advance(1ms);
  EXPECT_FALSE(debts.is_away("a"));
  EXPECT_TRUE(debts.is_watched("a")) << "its next one is measured well";
  clock.advance(LoopDebts::kWatched);
  EXPECT_FALSE(debts.is_watched("a"));
}

TEST(LoopDebts, TimeThatPassedIsNoProofButIsLookedInto) {
  ManualClock clock(0);
  LoopDebts debts(clock);
  debts.note("a", false, 20ms);
  EXPECT_FALSE(debts.is_away("a")) << "it may have waited for a processor";
  EXPECT_TRUE(debts.is_watched("a"));
  EXPECT_FALSE(debts.is_watched("b"));
  debts.note("a", true, 20ms);
  EXPECT_TRUE(debts.is_away("a"));
}

TEST(LoopDebts, NobodyIsAwayForLongerThanTheBound) {
  ManualClock clock(0);
  LoopDebts debts(clock);
  debts.note("a", true, 1h);
  debts.note("a", true, 10ms);  // and a small debt does not take the place of the large one
  clock.advance(LoopDebts::kAwayMax - 1ms);
  EXPECT_TRUE(debts.is_away("a"));
  clock.advance(1ms);
  EXPECT_FALSE(debts.is_away("a"));
}

TEST(LoopDebts, OwnersAreBounded) {
  ManualClock clock(0);
  LoopDebts debts(clock);
  for (std::size_t i = 0; i < LoopDebts::kOwnersMax + 10; ++i)
    debts.note("owner " + std::to_string(i), true, 10s);
  std::size_t away = 0;
  for (std::size_t i = 0; i < LoopDebts::kOwnersMax + 10; ++i)
    away += debts.is_away("owner " + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(away, LoopDebts::kOwnersMax);
}

}  // namespace
}  // namespace vigia::net::internal
