#include "services/router/upstream/lanes.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::router {
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
    return lanes.of(lane).take(customer, [this, name](std::shared_ptr<Turns::Turn> turn) {
      begun_ += name;
      held_.push_back(std::move(turn));
    });
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

}  // namespace
}  // namespace vigia::router
