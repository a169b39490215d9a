#include "services/storage/lanes/customer_shares.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::storage::lanes {
namespace {

TEST(CustomerSharesTest, PastHalfOfTheBoundWhoHoldsMostIsRefused) {
  CustomerShares shares("samples under way", 100);
  EXPECT_TRUE(shares.take("a", 40));
  EXPECT_TRUE(shares.take("a", 10));
  const auto refused = shares.take("a", 1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(is_retryable(refused.error()));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("samples under way take more than"));
  EXPECT_TRUE(shares.take("b", 25));
  EXPECT_FALSE(shares.take("b", 1));
  EXPECT_TRUE(shares.take("c", 25));
  EXPECT_FALSE(shares.take("d", 1));  // all of it is taken
  shares.give_back("a", 50);
  EXPECT_TRUE(shares.take("d", 20));
  EXPECT_EQ(shares.taken(), 70U);
}

TEST(CustomerSharesTest, WhatIsLargerThanTheBoundIsTakenWhereThereIsRoom) {
  CustomerShares shares("bodies", 100);
  EXPECT_TRUE(shares.take("a", 300));
  EXPECT_FALSE(shares.take("b", 10));
  shares.give_back("a", 300);
  EXPECT_TRUE(shares.take("b", 10));
}

TEST(CustomerSharesTest, WhileMemoryIsShortOnlyThoseWhoHoldLittleGoOn) {
  CustomerShares shares("bodies", 100);
  EXPECT_TRUE(shares.take("a", 12));
  shares.set_short(true);
  EXPECT_FALSE(shares.take("a", 1));
  EXPECT_TRUE(shares.take("b", 5));
  shares.set_short(false);
  EXPECT_TRUE(shares.take("a", 1));
}

// A's one body of 5 MiB was more than the 4 MiB that all might hold, and B's 100 bytes were
// refused.
TEST(CustomerSharesTest, WhileMemoryIsShortOneLargeBodyStopsNobodyElse) {
  CustomerShares shares("bodies", 1'600);
  EXPECT_TRUE(shares.take("a", 500));
  shares.set_short(true);
  EXPECT_FALSE(shares.take("a", 1));
  EXPECT_TRUE(shares.check("b"));
  EXPECT_TRUE(shares.take("b", 20));
  EXPECT_FALSE(shares.take("b", 20));
  EXPECT_TRUE(shares.take("c", 25));
  shares.give_back("a", 500);
  EXPECT_TRUE(shares.take("d", 1'600 - 45));
  EXPECT_FALSE(shares.take("e", 1));  // all of it is taken
}

TEST(CustomerSharesTest, AHeldShareGrowsAndIsGivenBack) {
  CustomerShares shares("answers", 100);
  {
    HeldShare held(shares, "a");
    EXPECT_TRUE(held.grow_to(20));
    EXPECT_TRUE(held.grow_to(10));
    EXPECT_EQ(shares.taken(), 20U);
    EXPECT_TRUE(held.grow_to(50));
    EXPECT_FALSE(held.grow_to(60));
    EXPECT_EQ(shares.taken(), 50U);
  }
  EXPECT_EQ(shares.taken(), 0U);
}

}  // namespace
}  // namespace vigia::storage::lanes
