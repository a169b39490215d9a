#include "services/storage/retention/class_retention.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::storage::retention {
namespace {

using testing::ElementsAre;

constexpr Duration days(int count) { return std::chrono::hours(24 * count); }

class ClassRetentionTest : public testing::Test {
 protected:
  ClassRetentionTest() {
    all_.raw = days(30);
    all_.rollup_5m = {days(90), true};
    all_.rollup_1d = {days(9'999), false};
    classes_.classes["long"] = keeps_of(all_);
    classes_.classes["long"][DataKind::kRaw] = days(400);
    classes_.classes["logs"] = keeps_of(all_);
    classes_.classes["logs"][DataKind::kLogs] = days(60);
    classes_.classes["same"] = keeps_of(all_);
    classes_.customers_file = folder_.path() + "/customers.yaml";
    std::ofstream(classes_.customers_file)
        << "customers: [{id: a, class: long}, {id: b, class: logs}, {id: c, class: same}]";
  }

  const CustomerId a_ = CustomerId::parse("a").value();
  const CustomerId b_ = CustomerId::parse("b").value();
  const CustomerId other_ = CustomerId::parse("other").value();
  TemporaryFolder folder_;
  ManualClock clock_{0};
  RetentionSettings all_;
  ClassSettings classes_;
};

TEST_F(ClassRetentionTest, SaysWhatCountsOfEachCustomer) {
  ClassKeeper keeper(classes_, keeps_of(all_), folder_.path() + "/state", clock_);
  ASSERT_TRUE(keeper.open({}));
  const ClassRetention retention(keeper, all_);
  EXPECT_THAT(retention.own(), ElementsAre(a_, b_));
  EXPECT_EQ(retention.keep_of(a_, Resolution::kRaw), days(400));
  EXPECT_EQ(retention.keep_of(a_, Resolution::kFiveMinutes), days(90));
  EXPECT_EQ(retention.keep_of(b_, Signal::kLogs), days(60));
  EXPECT_EQ(retention.keep_of(b_, Signal::kTraces), days(30));
  EXPECT_EQ(retention.keep_of(other_, Resolution::kRaw), days(30));
  EXPECT_EQ(retention.keep_of_others(Resolution::kRaw), days(30));
  EXPECT_EQ(retention.keep_of(a_, Resolution::kDay), kUnmadeKept);
  EXPECT_EQ(retention.keep_of_others(Resolution::kDay), kUnmadeKept);
  EXPECT_EQ(retention.keep_of_others(Signal::kLogs), days(30));
}

// Labels lead to what there is, and of roll-ups that nobody makes there is nothing.
TEST_F(ClassRetentionTest, TheIndexIsKeptAsLongAsTheLongestThatIsMade) {
  all_.rollup_1h.is_made = false;
  ClassKeeper keeper(classes_, keeps_of(all_), folder_.path() + "/state", clock_);
  ASSERT_TRUE(keeper.open({}));
  EXPECT_EQ(ClassRetention(keeper, all_).index_keep_of(a_), days(400));
  EXPECT_EQ(ClassRetention(keeper, all_).index_keep_of(b_), days(90));
  EXPECT_EQ(ClassRetention(keeper, all_).index_keep_of_others(), days(90));
  all_.rollup_1d.is_made = true;
  EXPECT_EQ(ClassRetention(keeper, all_).index_keep_of(b_), days(9'999));
}

}  // namespace
}  // namespace vigia::storage::retention
