#include "libs/net/budget.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace vigia::net {
namespace {

/// How much `holder` gets, step by step, before it is over its share.
std::uint64_t greedy(Budget& budget, Holding& holding, std::uint64_t step) {
  while (holding.amount() < budget.max()) {
    holding.set(holding.amount() + step);
    if (!holding.is_over()) continue;
    holding.set(holding.amount() - step);
    break;
  }
  return holding.amount();
}

TEST(Budget, OneAloneHasTwoThirdsOfSevenEighths) {
  Budget budget(2400, 10);
  Holding a = budget.open("a");
  EXPECT_EQ(greedy(budget, a, 1), 1400U);
  EXPECT_EQ(budget.total(), 1400U);
}

TEST(Budget, WhoeverComesNextFindsAShareAndTheLargestGrowsNoMore) {
  Budget budget(2400, 10);
  Holding a = budget.open("a");
  greedy(budget, a, 1);
  Holding b = budget.open("b");
  EXPECT_EQ(greedy(budget, b, 1), 466U);
  EXPECT_TRUE(a.is_over());
  a.set(0);  // as a refused body is
  EXPECT_EQ(greedy(budget, a, 1), 1089U);
  EXPECT_FALSE(b.is_over());
  // Both take what they can, until they have the same.
  for (int i = 0; i < 50; ++i) {
    for (Holding* each : {&a, &b}) {
      if (each->is_over()) each->set(each->amount() - 100);
      greedy(budget, *each, 1);
    }
  }
  EXPECT_NEAR(static_cast<double>(a.amount()), 840, 100);
  EXPECT_NEAR(static_cast<double>(b.amount()), 840, 100);
}

TEST(Budget, SmallHoldersGoByTheWholeAlone) {
  Budget budget(800, 50);
  Holding large = budget.open("large");
  large.set(700);
  EXPECT_TRUE(large.is_over());
  Holding small = budget.open("small");
  small.set(50);
  EXPECT_FALSE(small.is_over());
  small.set(51);
  EXPECT_TRUE(small.is_over());
  small.set(50);
  Holding another = budget.open("another");
  another.set(51);
  EXPECT_TRUE(another.is_over()) << "the whole is used up";
}

TEST(Budget, HoldingsOfOneHolderCountTogether) {
  Budget budget(800, 10);
  Holding one = budget.open("a");
  Holding two = one.beside();
  Holding three = budget.open("a");
  one.set(200);
  two.set(200);
  three.set(60);
  EXPECT_FALSE(three.is_over());
  three.set(70);
  EXPECT_TRUE(one.is_over());
  {
    const Holding taken = std::move(two);
  }
  EXPECT_FALSE(one.is_over());
  EXPECT_EQ(budget.total(), 270U);
}

TEST(Budget, ThoseBehindATrustedProxyHaveNoShare) {
  Budget budget(800, 10);
  Holding many = budget.open("");
  many.set(700);
  EXPECT_FALSE(many.is_over());
  many.set(701);
  EXPECT_TRUE(many.is_over());
}

TEST(Budget, WhilePressedWhoeverHoldsMoreThanTheMeanIsOver) {
  Budget budget(8000, 10);
  Holding large = budget.open("large");
  Holding middle = budget.open("middle");
  Holding small = budget.open("small");
  large.set(300);
  middle.set(50);
  small.set(10);
  budget.press(true);
  EXPECT_TRUE(large.is_over());
  EXPECT_FALSE(middle.is_over());
  EXPECT_FALSE(small.is_over());
  budget.press(false);
  EXPECT_FALSE(large.is_over());
}

TEST(Budget, WhileItIsShutWhoHoldsLittleGoesOn) {
  Budget budget(8000, 10);
  Holding much = budget.open("much");
  Holding little = budget.open("little");
  much.set(11);
  little.set(10);
  budget.shut(true);
  EXPECT_TRUE(much.is_over());
  EXPECT_FALSE(little.is_over());
  budget.shut(false);
  EXPECT_FALSE(much.is_over());
}

TEST(Budget, AHolderThatIsGoneIsForgotten) {
  Budget budget(8000, 10);
  for (int i = 0; i < 1000; ++i) {
    Holding passing = budget.open(std::to_string(i));
    passing.set(1);
  }
  Holding large = budget.open("large");
  Holding other = budget.open("other");
  large.set(100);
  other.set(30);
  budget.press(true);
  EXPECT_FALSE(other.is_over()) << "the mean is of those who hold something now";
  EXPECT_EQ(budget.total(), 130U);
}

}  // namespace
}  // namespace vigia::net
