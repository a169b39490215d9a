#include "services/collector/exporters/debug/line_budget.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::exporters::debug {
namespace {

using namespace std::chrono_literals;

class LineBudgetTest : public ::testing::Test {
 protected:
  int shown_of(int requests, LineBudget& budget) const {
    int shown = 0;
    for (int i = 0; i < requests; ++i) shown += budget.shows_request(a_) ? 1 : 0;
    return shown;
  }
  int lines_of(int lines, const CustomerId& customer, LineBudget& budget) const {
    int taken = 0;
    for (int i = 0; i < lines; ++i) taken += budget.takes_line(customer) ? 1 : 0;
    return taken;
  }

  ManualClock clock_{1};
  const CustomerId a_ = *CustomerId::parse("a");
  const CustomerId b_ = *CustomerId::parse("b");
};

TEST_F(LineBudgetTest, TheFirstRequestsOfASecondAreShownThenEachSoManieth) {
  LineBudget budget({2, 5}, clock_);
  EXPECT_EQ(shown_of(12, budget), 4);  // 1, 2, 7, 12
  EXPECT_TRUE(budget.shows_request(b_));
  clock_.advance(1s);
  EXPECT_EQ(shown_of(3, budget), 2);
}

TEST_F(LineBudgetTest, ThereafterNoneOrAll) {
  LineBudget none({3, 0}, clock_);
  EXPECT_EQ(shown_of(50, none), 3);
  LineBudget all({}, clock_);
  EXPECT_EQ(shown_of(50, all), 50);
}

TEST_F(LineBudgetTest, OneCustomersFloodLeavesTheOthersTheirLines) {
  LineBudget budget({}, clock_);
  EXPECT_EQ(lines_of(5000, a_, budget), 100);
  EXPECT_EQ(lines_of(60, b_, budget), 60);
  EXPECT_EQ(budget.take_left_out(), 0U) << "the second is not over";
  clock_.advance(1s);
  EXPECT_EQ(budget.take_left_out(), 4900U);
  EXPECT_EQ(budget.take_left_out(), 0U);
  EXPECT_EQ(lines_of(5000, a_, budget), 100);
}

TEST_F(LineBudgetTest, AllTogetherHaveABound) {
  LineBudget budget({}, clock_);
  int taken = 0;
  for (int i = 0; i < 50; ++i)
    taken += lines_of(100, *CustomerId::parse("c" + std::to_string(i)), budget);
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace vigia::collector::exporters::debug
