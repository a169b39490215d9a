#include "libs/series/series_cache.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "libs/series/series_shard.hpp"

namespace vigia::series {
namespace {

class ShardTest : public ::testing::Test {
 protected:
  PointEntry& put(std::uint64_t number, std::uint32_t used_s, std::size_t bytes = 100) {
    PointEntry entry;
    entry.key = {number, number * 7};
    entry.resource = resource().number;
    entry.series = 1;
    entry.used_s = used_s;
    std::string forms = std::to_string(number);  // each entry's own
    forms.resize(bytes, '=');
    return shard().insert(std::move(entry), forms);
  }
  bool has(std::uint64_t number) { return shard().find({number, number * 7}) != nullptr; }
  SeriesCache::Shard& shard() {
    if (!shard_) shard_ = std::make_unique<SeriesCache::Shard>(settings_, bytes_);
    return *shard_;
  }
  ResourceEntry& resource() {
    if (ResourceEntry* known = shard().find_resource({1, 1})) return *known;
    ResourceEntry entry;
    entry.key = {1, 1};
    entry.active_series = &active_;
    return shard().insert_resource(std::move(entry));
  }

  static constexpr std::uint32_t kKept_s = 1200;
  SeriesCacheSettings settings_;
  std::atomic<std::uint64_t> bytes_{0};
  LeftSeriesRoom room_{1U << 30U};
  ActiveSeries active_{bytes_, room_, kKept_s};
  std::unique_ptr<SeriesCache::Shard> shard_;
};

// Prometheus keeps them in its head: whoever makes ever new series must not gain by their silence.
TEST_F(ShardTest, IdleSeriesLeaveAndStayActiveAsLongAsStoresKeepThem) {
  for (std::uint64_t i = 0; i < 100; ++i) put(i, i < 50 ? 1000 : 5000);
  EXPECT_EQ(active_.count(), 100);
  for (int i = 0; i < 20; ++i) shard().sweep(5001);  // 20 min are 1200 s
  EXPECT_FALSE(has(10));
  EXPECT_TRUE(has(70));
  EXPECT_EQ(active_.count(), 100);
  EXPECT_TRUE(active_.was_put_out({10, 70}, 5001));
  EXPECT_FALSE(active_.was_put_out({10, 70}, 5001 + 2 * kKept_s));
  EXPECT_EQ(active_.count(), 50);
}

TEST_F(ShardTest, WithTheLastSeriesTheResourceGoes) {
  put(1, 1000);
  for (int i = 0; i < 3; ++i) shard().sweep(5000);
  EXPECT_EQ(shard().find_resource({1, 1}), nullptr);
  EXPECT_FALSE(active_.was_put_out({1, 7}, 5000 + 2 * kKept_s));
  EXPECT_EQ(bytes_, 0U);
}

TEST_F(ShardTest, APinnedResourceStaysUntilTheWalkLeavesIt) {
  put(1, 1000);
  resource().pins = 1;
  for (int i = 0; i < 3; ++i) shard().sweep(5000);
  ASSERT_NE(shard().find_resource({1, 1}), nullptr);
  shard().unpin(resource());
  EXPECT_EQ(shard().find_resource({1, 1}), nullptr);
}

TEST_F(ShardTest, OverItsBytesTheLongestUnusedGoFirst) {
  settings_.bytes_max = 60'000;  // of which what is put out takes a half
  for (std::uint64_t i = 0; i < 1000; ++i) {
    shard().sweep(static_cast<std::uint32_t>(i));
    put(i, static_cast<std::uint32_t>(i));
  }
  EXPECT_LT(bytes_, 61'000U);
  EXPECT_GT(shard().evicted, 0U);
  EXPECT_TRUE(has(999));
}

// By the longest unused nothing would be found of what comes round and round, however little is
// missing.
TEST_F(ShardTest, OfSeriesThatComeAgainAndAgainMostAreFoundWhereMostHaveRoom) {
  constexpr std::uint64_t kSeries = 1000;
  settings_.bytes_max = 180'000;  // for some five sixths of them; a part is of what was put out
  std::uint64_t found = 0;
  for (std::uint32_t round = 0; round < 40; ++round) {
    for (std::uint64_t i = 0; i < kSeries; ++i) {
      const std::uint32_t now_s = 1000 + round * 15 + static_cast<std::uint32_t>(i * 15 / kSeries);
      if (PointEntry* known = shard().find({i, i * 7})) {
        known->used_s = now_s;
        found += round >= 20 ? 1 : 0;
        continue;
      }
      shard().sweep(now_s, 150);
      put(i, now_s);
    }
  }
  EXPECT_LT(shard().series, kSeries);
  EXPECT_GT(shard().series, kSeries * 3 / 4);
  EXPECT_GT(found, 20 * kSeries / 2);
}

// What the cache has no room for is active in the stores all the same: a limit must not rise by it.
TEST_F(ShardTest, WhatWasPutOutForRoomStaysActive) {
  settings_.bytes_max = 30'000;
  for (std::uint64_t i = 0; i < 500; ++i) {
    shard().sweep(1000);
    put(i, 1000);
  }
  EXPECT_GT(shard().evicted, 0U);
  EXPECT_EQ(active_.count(), 500);
  std::uint64_t gone = 0;
  while (has(gone)) ++gone;
  EXPECT_TRUE(active_.was_put_out({gone, gone * 7}, 1000));
  put(gone, 1001);  // it comes again, and counts once
  EXPECT_EQ(active_.count(), 500);
  EXPECT_FALSE(active_.was_put_out({gone, gone * 7}, 1001));
  for (int i = 0; i < 100; ++i) shard().sweep(5000);
  (void)active_.was_put_out({1, 7}, 5000 + 2 * kKept_s);
  EXPECT_EQ(active_.count(), 0);
  EXPECT_EQ(bytes_, 0U);
}

// A1: what comes is counted by its bytes, not one for one against what goes.
TEST_F(ShardTest, LargeSeriesDoNotPassTheBoundOverSmallOnes) {
  settings_.bytes_max = 200'000;
  for (std::uint64_t i = 0; i < 1000; ++i) put(i, 0);
  for (std::uint64_t i = 1000; i < 1020; ++i) {
    shard().sweep(1, 60'000);
    put(i, 1, 60'000);
    EXPECT_LT(bytes_, settings_.bytes_max + 1'000);
  }
}

// Two walks inside one resource, which the sweep of either may find without entries.
TEST_F(ShardTest, AResourceStaysUntilTheLastWalkLeavesIt) {
  resource().pins = 2;
  shard().unpin(resource());
  ASSERT_NE(shard().find_resource({1, 1}), nullptr);
  shard().unpin(resource());
  EXPECT_EQ(shard().find_resource({1, 1}), nullptr);
}

TEST_F(ShardTest, BehavesAsAMapUnderRandomUse) {
  settings_.bytes_max = 50'000;
  std::mt19937 random(7);
  std::map<std::uint64_t, std::uint32_t> model;
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    const std::uint64_t number = random() % 2000;
    if (has(number)) {
      EXPECT_EQ(shard().find({number, number * 7})->forms_bytes, model.at(number));
    } else {
      shard().sweep(step);
      model[number] = 50 + static_cast<std::uint32_t>(random() % 100);
      put(number, step, model[number]);
    }
  }
  EXPECT_GE(static_cast<std::uint64_t>(active_.count()), shard().series);
  EXPECT_LE(active_.count(), 2000);
  std::uint64_t found = 0;
  for (std::uint64_t number = 0; number < 2000; ++number) found += has(number) ? 1 : 0;
  EXPECT_EQ(found, shard().series);
}

TEST(SeriesCache, TwoProcessesHashDifferently) {
  const SystemClock clock;
  SeriesCache one({}, clock);
  SeriesCache other({}, clock);
  EXPECT_NE(one.hash("x").low, other.hash("x").low);
  EXPECT_EQ(one.hash("x"), one.hash("x"));
}

}  // namespace
}  // namespace vigia::series
