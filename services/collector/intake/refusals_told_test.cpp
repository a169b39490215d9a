#include "services/collector/intake/refusals_told.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::intake {
namespace {

TEST(RefusalsTold, ACustomersReasonHasALineAMinute) {
  ManualClock clock(1);
  RefusalsTold told(clock);
  const CustomerId a = *CustomerId::parse("a");
  const auto first = told.note(a, "rate", 7);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->items, 7U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(told.note(a, "rate", 2));
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_TRUE(told.note(a, "future", 1)) << "another reason";
  EXPECT_TRUE(told.note(*CustomerId::parse("b"), "rate", 1)) << "another customer";
  clock.advance(std::chrono::seconds(10));
  const auto second = told.note(a, "rate", 3);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->requests, 51U);
  EXPECT_EQ(second->items, 103U);
}

TEST(RefusalsTold, WhoIsRememberedIsBounded) {
  ManualClock clock(1);
  RefusalsTold told(clock);
  for (std::size_t i = 0; i < RefusalsTold::kKnownMax + 5; ++i)
    EXPECT_TRUE(told.note(*CustomerId::parse("c" + std::to_string(i)), "rate", 1));
}

}  // namespace
}  // namespace vigia::collector::intake
