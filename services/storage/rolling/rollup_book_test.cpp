// What is known of roll-ups, of processes that share a store.
#include "services/storage/rolling/rollup_book.hpp"

#include <gtest/gtest.h>

#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::rolling {
namespace {

class SharedBook : public ::testing::Test {
 protected:
  std::unique_ptr<RollupBook> open() {
    return RollupBook::open(*cold_.chunks().due_days(), {true, true, true}).value();
  }
  store::MemoryColdStore cold_;
  std::unique_ptr<RollupBook> one_ = open();
  std::unique_ptr<RollupBook> two_ = open();
};

TEST_F(SharedBook, WhatOneHasNotedTheOtherKnowsWhenItLooks) {
  ASSERT_TRUE(one_->set_marked(7));
  EXPECT_FALSE(two_->note().is_marked);
  ASSERT_TRUE(two_->refresh());
  EXPECT_TRUE(two_->note().is_marked);
  EXPECT_EQ(two_->note().made_from_day(Resolution::kHour), 7U);
}

TEST_F(SharedBook, ADayThatRawIsGoneOfNeverGoesBack) {
  ASSERT_TRUE(one_->set_raw_gone(9));
  ASSERT_TRUE(two_->set_raw_gone(5));  // whose retention is later than the other's
  EXPECT_EQ(two_->note().raw_gone_day, 9U);
  EXPECT_EQ(open()->note().raw_gone_day, 9U);
  ASSERT_TRUE(two_->set_raw_gone(11));
  ASSERT_TRUE(one_->refresh());
  EXPECT_EQ(one_->note().raw_gone_day, 11U);
}

// Who has not looked takes nothing back.
TEST_F(SharedBook, AChangeGoesOnFromWhatTheOtherHasWritten) {
  ASSERT_TRUE(one_->set_marked(7));
  ASSERT_TRUE(two_->refresh());
  ASSERT_TRUE(two_->forget_marks());
  ASSERT_TRUE(one_->set_raw_gone(3));
  EXPECT_FALSE(one_->note().is_marked);
  EXPECT_FALSE(open()->note().is_marked);
  ASSERT_TRUE(one_->set_marked(8));
  EXPECT_EQ(open()->note().made_from_day(Resolution::kDay), 7U) << "begun once";
}

// Whose name no parser of customers' ids takes.
TEST_F(SharedBook, WhatIsTheProvidersOwnIsReadAgain) {
  ASSERT_TRUE(one_->set_marked(7, {{CustomerId::provider(), 3}}));
  ASSERT_TRUE(two_->refresh());
  EXPECT_EQ(two_->note(CustomerId::provider()).made_from_day(Resolution::kHour), 3U);
  EXPECT_TRUE(open()->note().is_marked);
}

TEST_F(SharedBook, WhatIsNotMadeHereIsNotReadHere) {
  ASSERT_TRUE(one_->set_marked(7));
  const auto days = RollupBook::open(*cold_.chunks().due_days(), {true, true, false}).value();
  ASSERT_TRUE(one_->set_marked(7));
  ASSERT_TRUE(days->refresh());
  EXPECT_FALSE(days->note().made_from_day(Resolution::kDay).has_value());
  EXPECT_TRUE(days->note().made_from_day(Resolution::kHour).has_value());
}

}  // namespace
}  // namespace vigia::storage::rolling
