#include "services/storage/store/cassandra/keep_times.hpp"

#include <gtest/gtest.h>

#include "services/storage/store/cassandra/settings.hpp"
#include "services/storage/store/cassandra/testing/kept_by.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr Duration days(int count) { return std::chrono::hours(24 * count); }
constexpr std::int64_t kDaySeconds = 86'400;
const std::string kRaw = kind_of(Resolution::kRaw);

class KeepTimesTest : public ::testing::Test {
 protected:
  KeepTimesTest() {
    classes_.fill(class_of("raw", days(400)).value());
    kept_.set(own_, {{kRaw, days(401)}, {"logs", days(9'999)}});
  }

  const CustomerId own_ = CustomerId::parse("own").value();
  const CustomerId other_ = CustomerId::parse("other").value();
  ManualClock clock_{20'000 * kDaySeconds * 1'000'000'000};  // 2024-10-04
  ChunkClasses classes_;
  KeptBy kept_{{{kRaw, days(30)}, {"logs", days(7)}}};
};

TEST_F(KeepTimesTest, UntilItIsKnownAllAreKeptAsTheSettingsSay) {
  const KeepTimes keeps(classes_, {days(3), Duration()}, clock_);
  EXPECT_EQ(keeps.class_of(own_, Resolution::kHour).name, "400d");
  EXPECT_EQ(keeps.live_seconds(own_, Signal::kTraces), 5 * kDaySeconds);
  EXPECT_EQ(keeps.live_seconds(own_, Signal::kLogs), 0);
  EXPECT_TRUE(keeps.own().empty());
}

TEST_F(KeepTimesTest, EachCustomersRowsEndByHisOwnTime) {
  KeepTimes keeps(classes_, {}, clock_);
  keeps.use(&kept_);
  EXPECT_EQ(keeps.class_of(other_, Resolution::kRaw).name, "90d");
  EXPECT_EQ(keeps.class_of(own_, Resolution::kRaw).name, "2y");
  EXPECT_EQ(keeps.live_seconds_of_exemplars(other_), 32 * kDaySeconds);
  EXPECT_EQ(keeps.live_seconds_of_exemplars(own_), 403 * kDaySeconds);
  EXPECT_EQ(keeps.live_seconds(other_, Signal::kLogs), 9 * kDaySeconds);
}

// As after a start with other classes: what counts is what counted last.
TEST_F(KeepTimesTest, WhatNoTableKeepsOrNoEndCanSayStaysForEver) {
  KeepTimes keeps(classes_, {}, clock_);
  keeps.use(&kept_);
  EXPECT_EQ(keeps.live_seconds(own_, Signal::kLogs), 0) << "it would end in 2052";
  kept_.set(own_, {{kRaw, days(9'999)}});
  EXPECT_EQ(keeps.class_of(own_, Resolution::kRaw).name, "kept");
  kept_.set(own_, {{kRaw, days(1'800)}});
  EXPECT_EQ(keeps.class_of(own_, Resolution::kRaw).name, "5y");
  clock_.set_wall_ns(24'000 * kDaySeconds * 1'000'000'000);  // 2035
  EXPECT_EQ(keeps.class_of(own_, Resolution::kRaw).name, "kept");
}

TEST(CheckExpiries, NamesTheClassWhoseRowsWouldEndTooLate) {
  constexpr std::int64_t kIn2034 = 2'019'686'400;
  CassandraSettings settings;
  settings.classes.fill(class_of("raw", days(400)).value());
  settings.kept_by_class["short"] = {{days(10), days(10), days(10), days(10)}, {days(7), days(7)}};
  EXPECT_TRUE(check_expiries(settings, kIn2034));
  settings.kept_by_class["long"] = {{days(10), days(10), days(1'800), days(10)},
                                    {days(7), days(7)}};
  const auto chunks = check_expiries(settings, kIn2034);
  ASSERT_FALSE(chunks);
  EXPECT_NE(chunks.error().message.find("class long, rollup_1h"), std::string::npos)
      << chunks.error().message;
  settings.kept_by_class["long"] = {{days(10), days(10), days(10), days(10)},
                                    {days(7), days(1'800)}};
  const auto events = check_expiries(settings, kIn2034);
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find("class long, logs"), std::string::npos);
}

TEST(KeepOfKind, TheIndexIsKeptAsLongAsItsLongestChunks) {
  KeptByKind kept = {{kRaw, days(1)},
                     {kind_of(Resolution::kFiveMinutes), days(9)},
                     {kind_of(Resolution::kHour), days(5)},
                     {kind_of(Resolution::kDay), days(2)}};
  EXPECT_EQ(keep_of_kind(kept, kIndexKind), days(9));
  EXPECT_EQ(keep_of_kind(kept, kExemplarKind), days(1));
  kept[kind_of(Resolution::kDay)] = Duration();
  EXPECT_EQ(keep_of_kind(kept, kIndexKind), Duration());
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
