#include "services/router/coverage/shard_coverage.hpp"

#include <gtest/gtest.h>

namespace vigia::router {
namespace {

constexpr TimestampMs kMinute = 60'000;

ShardCoverage coverage() { return ShardCoverage(std::chrono::seconds(150)); }

std::vector<TimestampMs> minutes(std::vector<TimestampMs> times) {
  for (TimestampMs& time : times) time *= kMinute;
  return times;
}

TEST(ShardCoverage, NothingIsCoveredBeforeTheFirstHeartbeat) {
  auto shard = coverage();
  EXPECT_FALSE(shard.covered_from(0).has_value());
  shard.replace({});
  EXPECT_FALSE(shard.covered_from(0).has_value());
  shard.replace(minutes({10, 11, 12}));
  EXPECT_EQ(shard.covered_from(13 * kMinute), 10 * kMinute);
}

TEST(ShardCoverage, AHoleStartsItAnew) {
  auto shard = coverage();
  shard.replace(minutes({1, 2, 3, 7, 8, 10}));  // 8 to 10 is 120 s: a beat may be late
  EXPECT_EQ(shard.covered_from(11 * kMinute), 7 * kMinute);
  EXPECT_EQ(shard.count(), 3U);
}

TEST(ShardCoverage, SilenceUncoversEverything) {
  auto shard = coverage();
  shard.replace(minutes({1, 2, 3}));
  EXPECT_TRUE(shard.covered_from(3 * kMinute + 150'000).has_value());
  EXPECT_FALSE(shard.covered_from(3 * kMinute + 150'001).has_value());
  shard.append(minutes({6}));
  EXPECT_EQ(shard.covered_from(6 * kMinute), 6 * kMinute);
}

TEST(ShardCoverage, AppendTakesOnlyWhatIsNew) {
  auto shard = coverage();
  shard.replace(minutes({1, 2, 3}));
  shard.append(minutes({2, 3, 4, 5}));
  EXPECT_EQ(shard.count(), 5U);
  EXPECT_EQ(shard.first_ms(), kMinute);
  EXPECT_EQ(shard.last_ms(), 5 * kMinute);
  shard.forget();
  EXPECT_FALSE(shard.covered_from(5 * kMinute).has_value());
}

TEST(ShardCoverage, LateHeartbeatsFillAHoleOnTheNextFullRead) {
  auto shard = coverage();
  shard.replace(minutes({1, 2, 10}));
  EXPECT_EQ(shard.covered_from(10 * kMinute), 10 * kMinute);
  shard.replace(minutes({1, 2, 4, 6, 8, 10}));
  EXPECT_EQ(shard.covered_from(10 * kMinute), kMinute);
}

}  // namespace
}  // namespace vigia::router
