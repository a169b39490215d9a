#include "services/router/upstream/lanes.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::router::upstream {
namespace {

/// A store of two cores: one place for what is slow of a customer.
class LanesTest : public testing::Test {
 protected:
  LanesTest() = default;
  ~LanesTest() override {
    while (!held_.empty()) end_oldest();  // each may let another in
  }

  /// Begins, or waits: `name` is what it is called in what `begun` gives.
  std::uint64_t ask(Lane lane, const std::string& customer, const std::string& name) {
    return ask(lanes.of(lane), customer, name);
  }
  std::uint64_t ask_as_operator(Lane lane, Duration timeout, const std::string& name) {
    return ask(lanes.of_operators(lane, timeout), "", name);
  }
  /// What has begun since the last call.
  std::string begun() { return std::exchange(begun_, {}); }
  void end_oldest() {
    const auto turn = std::move(held_.front());
    held_.erase(held_.begin());
  }

  ManualClock clock{0};
  Lanes lanes{{.usual = {20, 8, 1}}, clock};

 private:
  std::uint64_t ask(Turns& row, const std::string& customer, const std::string& name) {
    return row.take(customer, [this, name](std::shared_ptr<Turns::Turn> turn) {
      begun_ += name;
      held_.push_back(std::move(turn));
    });
  }

  std::string begun_;
  std::vector<std::shared_ptr<Turns::Turn>> held_;
};

constexpr auto kSlow = Turns::kQuickMax + std::chrono::milliseconds(1);

// A look-up, a query like which none was seen and a heavy one of the same customer, at once: both
// cores of a store and what its garbage takes.
TEST_F(LanesTest, OneCustomersCostlyOnesAreTogetherAsFewAsItsSlowOnes) {
  ask(Lane::kLookUp, "a", "l");
  ask(Lane::kUnknown, "a", "u");
  ask(Lane::kHeavy, "a", "h");
  EXPECT_EQ(begun(), "l");
  ask(Lane::kUsual, "a", "light");
  EXPECT_EQ(begun(), "light") << "waits for none of them";
  ask(Lane::kLookUp, "b", "L");
  ask(Lane::kUsual, "b", "LIGHT");
  EXPECT_EQ(begun(), "LLIGHT") << "others have their own";
  clock.advance(kSlow);
  end_oldest();
  EXPECT_EQ(begun(), "u");
  clock.advance(kSlow);
  for (int i = 0; i < 3; ++i) end_oldest();  // light, L, LIGHT
  EXPECT_EQ(begun(), "");
  end_oldest();
  EXPECT_EQ(begun(), "h");
}

TEST_F(LanesTest, ACustomersOwnRowsTakeTurns) {
  for (int i = 0; i < 4; ++i) ask(Lane::kLookUp, "a", "l");
  for (int i = 0; i < 2; ++i) ask(Lane::kUnknown, "a", "u");
  ask(Lane::kHeavy, "a", "h");
  for (int i = 0; i < 6; ++i) {
    clock.advance(kSlow);
    end_oldest();
  }
  EXPECT_EQ(begun(), "luhlull");
}

TEST_F(LanesTest, WhoseCostlyOnesAreQuickHasThemAtOnce) {
  for (int i = 0; i < 4; ++i) ask(Lane::kLookUp, "a", "l");
  ask(Lane::kUnknown, "a", "u");
  ask(Lane::kHeavy, "a", "h");
  EXPECT_EQ(begun(), "l");
  end_oldest();
  EXPECT_EQ(begun().size(), 2U);
  end_oldest();
  EXPECT_EQ(begun().size(), 2U);
}

TEST_F(LanesTest, WhatLeavesItsRowLeavesNothingBehind) {
  ask(Lane::kLookUp, "a", "l");
  const std::uint64_t number = ask(Lane::kUnknown, "a", "u");
  EXPECT_TRUE(lanes.of(Lane::kUnknown).leave("a", number));
  clock.advance(kSlow);
  end_oldest();
  EXPECT_EQ(begun(), "l");
  ask(Lane::kHeavy, "a", "h");
  EXPECT_EQ(begun(), "h");
}

constexpr Duration kBrief = std::chrono::seconds(10);
constexpr Duration kLong = std::chrono::minutes(2);

// Three customers' heavy queries: the monitor's own stood behind them, and saw nobody's nodes.
TEST_F(LanesTest, OperatorsWaitForNoCustomersCostlyOnes) {
  for (int i = 0; i < 20; ++i) {
    const std::string customer = "c" + std::to_string(i);
    ask(Lane::kHeavy, customer + "h", "h");
    ask(Lane::kUnknown, customer + "u", "u");
    ask(Lane::kLookUp, customer + "l", "l");
  }
  EXPECT_EQ(begun().size(), 2U + 4U + 10U) << "all that customers have";
  ask_as_operator(Lane::kHeavy, kBrief, "H");
  ask_as_operator(Lane::kUnknown, kLong, "U");
  EXPECT_EQ(begun(), "HU");
  ask_as_operator(Lane::kLookUp, kBrief, "L");
  EXPECT_EQ(begun(), "") << "two in all lanes together";
}

TEST_F(LanesTest, OperatorsCostlyOnesTakeNoCustomersPlaces) {
  for (const Lane lane : {Lane::kHeavy, Lane::kUnknown, Lane::kLookUp}) {
    for (int i = 0; i < 8; ++i) ask_as_operator(lane, i % 2 == 0 ? kBrief : kLong, "O");
  }
  EXPECT_EQ(begun(), "OO");
  for (int i = 0; i < 20; ++i) {
    const std::string customer = "c" + std::to_string(i);
    ask(Lane::kHeavy, customer + "h", "h");
    ask(Lane::kUnknown, customer + "u", "u");
    ask(Lane::kLookUp, customer + "l", "l");
  }
  EXPECT_EQ(begun().size(), 2U + 4U + 10U);
}

TEST_F(LanesTest, WhatTheMonitorAsksWaitsForNoLongQueryOfAnOperators) {
  ask_as_operator(Lane::kHeavy, kLong, "d");
  ask_as_operator(Lane::kUnknown, kLong, "D");
  EXPECT_EQ(begun(), "d");
  ask_as_operator(Lane::kHeavy, kBrief, "1");
  ask_as_operator(Lane::kUnknown, kBrief, "2");
  EXPECT_EQ(begun(), "1");
  ask_as_operator(Lane::kUsual, kBrief, "light");
  EXPECT_EQ(begun(), "light");
  clock.advance(kSlow);
  end_oldest();  // d
  EXPECT_EQ(begun().size(), 1U) << "one of the two that wait has its place";
}

}  // namespace
}  // namespace vigia::router::upstream
