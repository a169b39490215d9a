#include "services/router/coverage/shard_coverage.hpp"

#include <gtest/gtest.h>

namespace vigia::router::coverage {
namespace {

constexpr TimestampMs kMinute = 60'000;
constexpr TimestampMs kSettle = kMinute;  // a run covers from so long after its first heartbeat
constexpr TimestampMs kDay = 24 * 60 * kMinute;

ShardCoverage coverage() { return ShardCoverage(std::chrono::seconds(150)); }

std::vector<TimestampMs> minutes(std::vector<TimestampMs> times) {
  for (TimestampMs& time : times) time *= kMinute;
  return times;
}

BeatsByCollector of_one(std::vector<TimestampMs> times) {
  return {{"c1", minutes(std::move(times))}};
}

/// One heartbeat a minute, both ends included.
std::vector<TimestampMs> every_minute(TimestampMs from, TimestampMs to) {
  std::vector<TimestampMs> times;
  for (TimestampMs time = from; time <= to; ++time) times.push_back(time * kMinute);
  return times;
}

TEST(ShardCoverage, NothingIsCoveredBeforeTheFirstHeartbeat) {
  auto shard = coverage();
  EXPECT_FALSE(shard.covered_from(0).has_value());
  shard.replace({});
  EXPECT_FALSE(shard.covered_from(0).has_value());
  shard.replace(of_one({10, 11, 12}));
  EXPECT_EQ(shard.covered_from(13 * kMinute), 10 * kMinute + kSettle);
}

// A store that was replaced right after a full minute: the heartbeat of that minute is written to
// the new one seconds later, and what was received in between lies in the old one alone.
TEST(ShardCoverage, ARunCoversFromAMinuteAfterItsFirstHeartbeat) {
  auto shard = coverage();
  shard.replace(of_one({10}));
  EXPECT_EQ(shard.covered_from(10 * kMinute + 20'000), 11 * kMinute);
  shard.append(of_one({11, 12}));
  EXPECT_EQ(shard.covered_from(12 * kMinute), 11 * kMinute);
  shard.append(of_one({20, 21}));  // back after a hole: it may be another store's place
  EXPECT_EQ(shard.covered_from(21 * kMinute), 21 * kMinute);
  ShardCoverage quick(std::chrono::seconds(3));
  quick.replace({{"c1", {1'000, 2'000, 3'000}}});
  EXPECT_EQ(quick.covered_from(4'000), 4'000);
}

/// Of a wrong clock: they say nothing when their time comes either.
TEST(ShardCoverage, WhatLiesInTheFutureCoversNothing) {
  auto shard = coverage();
  shard.replace({{"c1", every_minute(1, 60)}});
  shard.note_ahead({{"c1", 180 * kMinute}}, 60 * kMinute);
  EXPECT_FALSE(shard.covered_from(60 * kMinute).has_value());
  shard.replace({{"c1", every_minute(1, 175)}});
  shard.note_ahead({}, 175 * kMinute);  // less ahead than clocks differ
  EXPECT_FALSE(shard.covered_from(175 * kMinute).has_value());
  shard.forget();
  shard.replace({{"c1", every_minute(1, 200)}});
  shard.note_ahead({}, 200 * kMinute);
  EXPECT_EQ(shard.covered_from(200 * kMinute), 180 * kMinute);
}

TEST(ShardCoverage, FutureHeartbeatsOfAStoreThatWasWipedAreForgotten) {
  auto shard = coverage();
  shard.note_ahead({{"c1", 180 * kMinute}}, 60 * kMinute);
  shard.replace({{"c1", every_minute(61, 70)}});
  shard.note_ahead({}, 70 * kMinute);
  EXPECT_EQ(shard.covered_from(70 * kMinute), 61 * kMinute + kSettle);
}

TEST(ShardCoverage, AHoleStartsItAnew) {
  auto shard = coverage();
  shard.replace(of_one({1, 2, 3, 7, 8, 10}));  // 8 to 10 is 120 s: a beat may be late
  EXPECT_EQ(shard.covered_from(11 * kMinute), 7 * kMinute + kSettle);
  EXPECT_EQ(shard.runs(11 * kMinute).at("c1").count, 3U);
}

TEST(ShardCoverage, SilenceUncoversEverything) {
  auto shard = coverage();
  shard.replace(of_one({1, 2, 3}));
  EXPECT_TRUE(shard.covered_from(3 * kMinute + 150'000).has_value());
  EXPECT_FALSE(shard.covered_from(3 * kMinute + 150'001).has_value());
  shard.append(of_one({6}));
  EXPECT_EQ(shard.covered_from(6 * kMinute), 6 * kMinute + kSettle);
}

TEST(ShardCoverage, AppendTakesOnlyWhatIsNew) {
  auto shard = coverage();
  shard.replace(of_one({1, 2, 3}));
  shard.append(of_one({2, 3, 4, 5}));
  const auto run = shard.runs(5 * kMinute).at("c1");
  EXPECT_EQ(run.count, 5U);
  EXPECT_EQ(run.first_ms, kMinute);
  EXPECT_EQ(run.last_ms, 5 * kMinute);
  shard.forget();
  EXPECT_FALSE(shard.covered_from(5 * kMinute).has_value());
}

TEST(ShardCoverage, LateHeartbeatsFillAHoleOnTheNextFullRead) {
  auto shard = coverage();
  shard.replace(of_one({1, 2, 10}));
  EXPECT_EQ(shard.covered_from(10 * kMinute), 10 * kMinute + kSettle);
  shard.replace(of_one({1, 2, 4, 6, 8, 10}));
  EXPECT_EQ(shard.covered_from(10 * kMinute), kMinute + kSettle);
}

// A13: one collector's heartbeats said that another's data are there.
TEST(ShardCoverage, TheYoungestHoleOfAllCollectorsCounts) {
  auto shard = coverage();
  shard.replace({{"c1", minutes({1, 2, 3, 4, 5, 6, 7, 8, 9})}, {"c2", minutes({1, 2, 6, 7, 8})}});
  EXPECT_EQ(shard.covered_from(9 * kMinute), 6 * kMinute + kSettle);
  EXPECT_FALSE(shard.covered_from(8 * kMinute + 150'001).has_value()) << "c2's hole is not over";
  shard.append({{"c2", minutes({13})}, {"c1", minutes({10, 11, 12, 13})}});
  EXPECT_EQ(shard.covered_from(13 * kMinute), 13 * kMinute + kSettle);
}

TEST(ShardCoverage, ANewCollectorMakesNoHoleBeforeIt) {
  auto shard = coverage();
  shard.replace({{"c1", every_minute(1, 100)}, {"c2", every_minute(98, 100)}});
  EXPECT_EQ(shard.covered_from(100 * kMinute), kMinute + kSettle);
}

TEST(ShardCoverage, ACollectorThatIsGoneForADayIsForgotten) {
  auto shard = coverage();
  const TimestampMs days = 2 * kDay / kMinute;
  shard.replace({{"c1", every_minute(1, days)}, {"gone", minutes({2, 3})}});
  EXPECT_EQ(shard.covered_from(2 * kDay), kMinute + kSettle);
  EXPECT_EQ(shard.runs(2 * kDay).size(), 1U);
  EXPECT_FALSE(shard.covered_from(3 * kMinute + kDay).has_value()) << "not gone for a day yet";
}

TEST(ShardCoverage, HeartbeatsWithoutANameBelongToTheCollectorThatGoesOn) {
  auto shard = coverage();
  shard.replace({{"", every_minute(1, 50)}, {"c1", every_minute(51, 60)}});
  EXPECT_EQ(shard.covered_from(60 * kMinute), kMinute + kSettle);
  shard.replace({{"", every_minute(1, 50)}, {"c1", every_minute(56, 60)}});
  EXPECT_FALSE(shard.covered_from(60 * kMinute).has_value()) << "who follows has left a hole";
  shard.replace({{"", every_minute(1, 50)}});
  EXPECT_EQ(shard.covered_from(50 * kMinute), kMinute + kSettle);
}

}  // namespace
}  // namespace vigia::router::coverage
