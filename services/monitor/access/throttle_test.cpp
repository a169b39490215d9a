#include "services/monitor/access/throttle.hpp"

#include <gtest/gtest.h>

namespace vigia::monitor::access {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Throttle : public ::testing::Test {
 protected:
  void fail_times(int times, const std::string& user, const std::string& address) {
    for (int i = 0; i < times; ++i) throttle_.note_failure(user, address);
  }
  std::optional<Duration> wait(const std::string& user, const std::string& address) {
    const auto asked = throttle_.begin_try(user, address);
    if (!asked) throttle_.end_try(user, address, LoginThrottle::Outcome::kUndecided);
    return asked;
  }
  ManualClock clock_{1'795'575'845'000'000'000};
  LoginThrottle throttle_{clock_};
};

// R-WEB-1.
TEST_F(Throttle, FiveFailuresAreFreeThenItDoubles) {
  fail_times(4, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), std::nullopt);
  fail_times(1, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), std::nullopt);
  fail_times(3, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), seconds(8));
  fail_times(30, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:2000"), minutes(5));
}

TEST_F(Throttle, AddressesOfOneIpv6NetworkAreOne) {
  fail_times(3, "ana", "[2001:db8:1:2::1]:1000");
  fail_times(2, "ana", "[2001:db8:1:2:ffff::9]:1000");
  EXPECT_EQ(wait("ana", "[2001:db8:1:2:abcd::5]:7"), seconds(1));
  EXPECT_EQ(wait("ana", "[2001:db8:1:3::1]:7"), std::nullopt);
  fail_times(5, "eva", "[::ffff:192.0.2.1]:1000");
  EXPECT_EQ(wait("eva", "[::ffff:192.0.2.2]:7"), std::nullopt);
}

// R-WEB-1.
TEST_F(Throttle, AnAttackFromElsewhereNeverShutsTheOwnerOut) {
  for (int i = 0; i < 500; ++i) fail_times(1, "ana", "198.51.100." + std::to_string(i) + ":1");
  const auto asked = wait("ana", "192.0.2.1:1000");
  ASSERT_TRUE(asked.has_value());
  EXPECT_LE(*asked, seconds(5));
}

TEST_F(Throttle, OneAddressThatTriesManyUsersIsSlowedDown) {
  for (int i = 0; i < 60; ++i) fail_times(1, "user" + std::to_string(i), "192.0.2.1:1");
  EXPECT_TRUE(wait("fresh", "192.0.2.1:9").has_value());
  EXPECT_EQ(wait("fresh", "192.0.2.2:9"), std::nullopt);
}

TEST_F(Throttle, SuccessAndTimeForget) {
  fail_times(6, "ana", "192.0.2.1:1000");
  clock_.advance(seconds(2));
  ASSERT_EQ(throttle_.begin_try("ana", "192.0.2.1:1000"), std::nullopt);
  throttle_.end_try("ana", "192.0.2.1:1000", LoginThrottle::Outcome::kRight);
  fail_times(4, "ana", "192.0.2.1:1000");
  EXPECT_EQ(wait("ana", "192.0.2.1:1000"), std::nullopt);
  fail_times(6, "eva", "192.0.2.9:1000");
  clock_.advance(hours(2));
  EXPECT_EQ(wait("eva", "192.0.2.9:1000"), std::nullopt);
}

// B9: 300 at once were looked at before the first failure was noted.
TEST_F(Throttle, TriesAtOnceAreNoMoreThanTriesInARow) {
  int begun = 0;
  for (int i = 0; i < 300; ++i) {
    if (!throttle_.begin_try("ana", "192.0.2.1:1000")) ++begun;
  }
  EXPECT_EQ(begun, 5);
  for (int i = 0; i < begun; ++i) {
    throttle_.end_try("ana", "192.0.2.1:1000", LoginThrottle::Outcome::kWrong);
  }
  EXPECT_EQ(wait("ana", "192.0.2.1:1000"), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(throttle_.begin_try("ana", "192.0.2.1:1000"), std::nullopt);
  EXPECT_TRUE(throttle_.begin_try("ana", "192.0.2.1:1001").has_value()) << "one at a time now";
}

}  // namespace
}  // namespace vigia::monitor::access
