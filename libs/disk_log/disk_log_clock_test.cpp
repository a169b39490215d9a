// The wall clock alone drops nothing.
#include <algorithm>

#include <gmock/gmock.h>

#include "libs/disk_log/receipt_times.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using What = ClockJump::What;

class DiskLogClockTest : public DiskLogTest {
 protected:
  void SetUp() override {
    DiskLogTest::SetUp();
    settings_.cursors = {{.name = "metrics", .required = false, .age_max = hours(24)}};
  }
  void step_wall(Duration by) { clock_.set_wall_ns(clock_.wall_ns() + by.count()); }
  std::vector<What> told() {
    std::vector<What> all;
    for (const ClockJump& jump : jumps()) all.push_back(jump.what);
    return all;
  }
  bool has_told(What what) {
    const std::vector<What> all = told();
    return std::find(all.begin(), all.end(), what) != all.end();
  }
  Duration oldest_age() { return log_->stats().cursors.at(0).oldest_age; }
};

TEST_F(DiskLogClockTest, AClockThatIsADayAheadForAMomentCostsNothing) {
  open();
  ASSERT_TRUE(write("before"));
  step_wall(hours(25));
  eventually([this] { return jumps().size() == 1; });
  ASSERT_TRUE(write("meanwhile"));
  clock_.advance(seconds(2));
  step_wall(-hours(25));
  eventually([this] { return jumps().size() == 2; });
  ASSERT_TRUE(write("after"));
  EXPECT_THAT(told(), ElementsAre(What::kIgnored, What::kIgnored));
  EXPECT_EQ(jumps().at(0).by, Duration(hours(25)));
  EXPECT_EQ(log_->stats().clock_jumps, 2U);
  EXPECT_THAT(read("metrics"), ElementsAre("before", "meanwhile", "after"));
  EXPECT_THAT(drops(), IsEmpty());
}

TEST_F(DiskLogClockTest, AgeIsCountedBySteadyTimeHoweverTheWallClockStands) {
  open();
  ASSERT_TRUE(write("old"));
  step_wall(-hours(1000));
  clock_.advance(hours(23));
  ASSERT_TRUE(write("young"));
  EXPECT_EQ(oldest_age(), Duration(hours(23)));
  clock_.advance(hours(1) + minutes(2));
  eventually([this] { return drops().size() == 1; });
  EXPECT_EQ(drops().at(0).reason, "too_old");
  EXPECT_THAT(read("metrics"), ElementsAre("young"));
}

TEST_F(DiskLogClockTest, AShortTimeAwayCounts) {
  open();
  for (int hour = 0; hour < 23; ++hour) {
    ASSERT_TRUE(write(hour == 0 ? "old" : "young"));
    clock_.advance(hours(1));
  }
  log_.reset();
  clock_.advance(hours(1) + minutes(2));  // less than a tenth of the age
  open();
  eventually([this] { return drops().size() == 1; });
  EXPECT_THAT(read("metrics"), testing::Each("young"));
  EXPECT_THAT(jumps(), IsEmpty());
}

TEST_F(DiskLogClockTest, AStartWithTheClockAheadDropsNothing) {
  open();
  ASSERT_TRUE(write("a"));
  clock_.advance(hours(1));
  ASSERT_TRUE(write("b"));
  log_.reset();
  step_wall(hours(31 * 24));  // a battery is flat; NTP mends it later
  open();
  eventually([this] { return jumps().size() == 1; });
  EXPECT_EQ(oldest_age(), Duration(hours(1)));
  clock_.advance(minutes(59));
  step_wall(-hours(31 * 24));
  eventually([this] { return jumps().size() == 2; });
  clock_.advance(minutes(2));
  eventually([this] { return jumps().size() == 3; });
  EXPECT_THAT(told(), ElementsAre(What::kWaiting, What::kIgnored, What::kBelieved));
  EXPECT_EQ(jumps().at(2).by, Duration::zero());
  EXPECT_EQ(oldest_age(), Duration(hours(2) + minutes(1)));
  EXPECT_THAT(read("metrics"), ElementsAre("a", "b"));
  EXPECT_THAT(drops(), IsEmpty());
}

TEST_F(DiskLogClockTest, ALongTimeAwayIsBelievedAfterAnHour) {
  open();
  ASSERT_TRUE(write("old"));
  log_.reset();
  clock_.advance(hours(72));
  open();
  ASSERT_TRUE(write("young"));
  eventually([this] { return jumps().size() == 1; });
  EXPECT_EQ(jumps().at(0).what, What::kWaiting);
  EXPECT_EQ(jumps().at(0).by, Duration(hours(72)));
  clock_.advance(minutes(59));
  EXPECT_EQ(oldest_age(), Duration(minutes(59)));
  EXPECT_THAT(drops(), IsEmpty());
  clock_.advance(minutes(2));
  eventually([this] { return drops().size() == 1; });
  EXPECT_EQ(told(), (std::vector{What::kWaiting, What::kBelieved}));
  EXPECT_THAT(read("metrics"), ElementsAre("young"));
}

TEST_F(DiskLogClockTest, AKillWhileTheClockIsAheadAndAStartThereDropNothing) {
  open();
  ASSERT_TRUE(write("before"));
  step_wall(hours(25));
  ASSERT_TRUE(write("meanwhile"));
  std::unique_ptr<DiskLog> dead = std::move(log_);
  files_.cut_power();
  dead.reset();
  open();  // still ahead: newest record and wall clock agree
  eventually([this] { return has_told(What::kWaiting); });
  EXPECT_LT(oldest_age(), Duration(minutes(1)));
  step_wall(-hours(25));
  clock_.advance(hours(2));
  eventually([this] { return has_told(What::kBelieved); });
  EXPECT_THAT(drops(), IsEmpty());
  EXPECT_THAT(read("metrics"), ElementsAre("before", "meanwhile"));
}

TEST_F(DiskLogClockTest, ARecordStampedBehindIsNotOlderThanTheOneBefore) {
  open();
  ASSERT_TRUE(write("a"));
  step_wall(-hours(25));
  ASSERT_TRUE(write("b"));
  step_wall(hours(25));
  ASSERT_TRUE(write("c"));
  reopen();
  clock_.advance(hours(1));
  EXPECT_EQ(oldest_age(), Duration(hours(1)));
  EXPECT_THAT(read("metrics"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(drops(), IsEmpty());
}

TEST_F(DiskLogClockTest, TheSameHoldsBesideARequiredCursor) {
  settings_.cursors = {{.name = "cold", .required = true},
                       {.name = "hot/0", .required = false, .age_max = hours(1)},
                       {.name = "local", .required = false, .age_max = minutes(5)}};
  open();
  ASSERT_TRUE(write("a"));
  step_wall(hours(2));
  eventually([this] { return jumps().size() == 1; });
  ASSERT_TRUE(write("b"));
  EXPECT_THAT(read("hot/0"), ElementsAre("a", "b"));
  EXPECT_THAT(drops(), IsEmpty());
  clock_.advance(minutes(6));
  eventually([this] { return drops().size() == 2; });
  EXPECT_EQ(drops().at(0).cursor, "local");
  EXPECT_EQ(drops().at(1).cursor, "local");
}

TEST(ReceiptTimes, AreKeptForStretchesAndForgotten) {
  ReceiptTimes times(hours(24));
  const TimePoint start{};
  times.start(0, start);
  for (int second = 0; second < 600; ++second)
    times.note({1, 100U + static_cast<unsigned>(second)}, start + seconds(second));
  const TimePoint now = start + hours(1);
  // The record of second 0 is at most a minute older than what is said.
  EXPECT_LE(times.age({1, 0}, now), hours(1));
  EXPECT_GT(times.age({1, 0}, now), hours(1) - minutes(1));
  EXPECT_EQ(times.age({1, 698}, now), hours(1) - seconds(599));
  EXPECT_EQ(times.age({1, 699}, now), Duration::zero());
  times.forget_before({1, 400});
  EXPECT_GT(times.age({1, 0}, now), hours(1) - minutes(6));
}

}  // namespace
}  // namespace vigia::disk_log
