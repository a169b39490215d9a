#include "services/collector/delivery/refusal_budget.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace vigia::collector::delivery {
namespace {

constexpr std::uint64_t kRate = 1'000;
constexpr std::uint64_t kBurst = 64'000;

/// Units of these sizes.
Parcel parcel_of(const std::vector<std::size_t>& sizes, std::string_view customer = "a") {
  Parcel parcel{.customer = *CustomerId::parse(customer)};
  for (const std::size_t size : sizes) {
    parcel.units.push_back({.begin = parcel.message.size()});
    parcel.message.append(size, 'x');
  }
  return parcel;
}

class RefusalBudgetTest : public testing::Test {
 protected:
  bool refuse(const std::vector<std::size_t>& sizes, std::string_view customer = "a") {
    return budget_.charge(parcel_of(sizes, customer), 0, sizes.size());
  }
  /// A refusal that takes exactly so much.
  bool take(std::uint64_t bytes) {
    return refuse({static_cast<std::size_t>(bytes - RefusalBudget::kLineBytes)});
  }
  std::uint64_t charged() const { return budget_.accounts().at(a_).bytes; }
  double waited_s() const {
    return std::chrono::duration<double>(budget_.accounts().at(a_).waited).count();
  }

  const CustomerId a_ = *CustomerId::parse("a");
  const CustomerId b_ = *CustomerId::parse("b");
  ManualClock clock_{0};
  RefusalBudget budget_{kRate, clock_};
};

TEST_F(RefusalBudgetTest, ARefusalCostsALineOfItsLargestUnit) {
  struct Case {
    std::vector<std::size_t> sizes;
    std::uint64_t bytes;
  };
  std::uint64_t before = 0;
  for (const Case& one :
       std::vector<Case>{{{100}, 100 + RefusalBudget::kLineBytes},
                         {{100, 700, 300}, 700 + RefusalBudget::kLineBytes},
                         {{1U << 20U},  // a body: no line holds all of it
                          RefusalBudget::kUnitBytesMax + RefusalBudget::kLineBytes}}) {
    refuse(one.sizes);
    EXPECT_EQ(charged() - before, one.bytes);
    before = charged();
  }
}

TEST_F(RefusalBudgetTest, OnlyTheUnitsOfTheRequestCount) {
  budget_.charge(parcel_of({5'000, 10, 20, 6'000}), 1, 3);
  EXPECT_EQ(charged(), 20 + RefusalBudget::kLineBytes);
}

TEST_F(RefusalBudgetTest, WhoHasSpentItsShareWaitsUntilHalfOfItIsThereAgain) {
  EXPECT_FALSE(budget_.is_spent(a_));
  EXPECT_FALSE(take(kBurst / 2));
  EXPECT_FALSE(budget_.is_spent(a_));
  EXPECT_TRUE(take(kBurst / 2)) << "told once";
  EXPECT_TRUE(budget_.is_spent(a_));
  EXPECT_FALSE(budget_.is_spent(b_));
  clock_.advance(std::chrono::seconds(31));
  EXPECT_TRUE(budget_.is_spent(a_));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(budget_.is_spent(a_));
}

// A search that has begun goes on to its unit.
TEST_F(RefusalBudgetTest, WhatIsOverdrawnIsPaidBack) {
  for (int i = 0; i < 3; ++i) take(kBurst / 2);
  EXPECT_TRUE(budget_.is_spent(a_));
  clock_.advance(std::chrono::seconds(63));
  EXPECT_TRUE(budget_.is_spent(a_));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(budget_.is_spent(a_));
}

TEST_F(RefusalBudgetTest, ItIsShortUntilItsShareIsWholeAgain) {
  take(kBurst - 1);
  EXPECT_FALSE(budget_.is_short(a_));
  take(kBurst / 64);
  EXPECT_TRUE(budget_.is_short(a_));
  clock_.advance(std::chrono::seconds(64));
  EXPECT_FALSE(budget_.is_spent(a_));
  EXPECT_TRUE(budget_.is_short(a_));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(budget_.is_short(a_));
}

TEST_F(RefusalBudgetTest, MoreThanTheBurstIsNeverSaved) {
  take(RefusalBudget::kLineBytes);
  clock_.advance(std::chrono::hours(24));
  EXPECT_TRUE(take(kBurst));
}

TEST_F(RefusalBudgetTest, TheTimeWaitedIsCountedWhileItLastsAndAfterwardsUnseen) {
  take(kBurst);
  clock_.advance(std::chrono::seconds(10));
  EXPECT_DOUBLE_EQ(waited_s(), 10);
  clock_.advance(std::chrono::hours(1));  // nobody looked at it when it was over
  EXPECT_DOUBLE_EQ(waited_s(), 32);
  take(kBurst);
  clock_.advance(std::chrono::seconds(3));
  EXPECT_DOUBLE_EQ(waited_s(), 35);
}

}  // namespace
}  // namespace vigia::collector::delivery
