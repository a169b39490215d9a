#include "services/router/access/byte_shares.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

TEST(ByteShares, OneCustomersAnswersHaveABoundTogether) {
  const ByteShares shares({.customer_max = 100, .total_max = 1'000});
  auto first = std::optional(shares.hold("a"));
  auto second = shares.hold("a");
  EXPECT_TRUE(first->grow(60));
  EXPECT_TRUE(second.grow(40));
  EXPECT_FALSE(second.grow(1));
  EXPECT_TRUE(shares.hold("b").grow(150)) << "alone, whatever its size";
  first.reset();
  EXPECT_TRUE(second.grow(60));
  EXPECT_EQ(shares.bytes(), 100U);
}

TEST(ByteShares, ANewcomerFindsRoomBesideThoseWhoWereThereFirst) {
  const ByteShares shares({.customer_max = 1'000, .total_max = 1'000});
  auto a = shares.hold("a");
  for (int i = 0; i < 100; ++i) a.grow(10);
  EXPECT_EQ(shares.bytes(), 500U) << "half while it is alone";
  auto b = shares.hold("b");
  for (int i = 0; i < 100; ++i) b.grow(10);
  EXPECT_EQ(shares.bytes(), 830U) << "a third beside another";
  EXPECT_FALSE(a.grow(1));
  EXPECT_TRUE(shares.hold("c").grow(100));
}

TEST(ByteShares, SharesGoByWhatIsThereOfTheTotal) {
  const ByteShares shares({.customer_max = 1'000, .total_max = 1'000});
  auto a = shares.hold("a");
  EXPECT_TRUE(a.grow(400));
  shares.bound(300);
  EXPECT_FALSE(a.grow(1));
  EXPECT_EQ(shares.bytes(), 400U) << "what is held stays";
  EXPECT_FALSE(shares.hold("b").grow(1));
  shares.bound(700);
  auto b = shares.hold("b");
  EXPECT_TRUE(b.grow(233));
  EXPECT_FALSE(b.grow(1)) << "a third beside another";
  shares.bound(5'000);
  EXPECT_TRUE(b.grow(100));
  EXPECT_FALSE(b.grow(1)) << "never more than the total";
}

TEST(ByteShares, WhatIsGivenBackIsWhole) {
  const ByteShares shares({.customer_max = 100, .total_max = 100});
  {
    auto held = shares.hold("a");
    EXPECT_TRUE(held.grow(50));
    const auto moved = std::move(held);
    EXPECT_EQ(shares.bytes(), 50U);
  }
  EXPECT_EQ(shares.bytes(), 0U);
}

}  // namespace
}  // namespace vigia::router::access
