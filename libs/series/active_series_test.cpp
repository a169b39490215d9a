#include "libs/series/active_series.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace vigia::series {
namespace {

SeriesKey key(std::uint64_t number) { return {number * 0x9e3779b97f4a7c15ULL, number}; }

TEST(ActiveSeries, ASeriesWithMuchTextWeighsMore) {
  EXPECT_EQ(ActiveSeries::weight(1, 1023), 1U);
  EXPECT_EQ(ActiveSeries::weight(1, 56 * 1024), 56U);
  EXPECT_EQ(ActiveSeries::weight(130, 130 * 300), 130U);
}

TEST(ActiveSeries, WhatWasPutOutCountsForOneToTwoIdleTimes) {
  std::atomic<std::uint64_t> bytes{0};
  LeftSeriesRoom room{1U << 20U};
  ActiveSeries active(bytes, room, 100);
  active.enter(key(1), 3);
  active.put_out(key(1), 3, 1000);
  EXPECT_EQ(active.count(), 3);
  EXPECT_GT(bytes, 0U);
  EXPECT_TRUE(active.was_put_out(key(1), 1099));
  EXPECT_TRUE(active.was_put_out(key(1), 1100)) << "now among the old";
  EXPECT_FALSE(active.was_put_out(key(1), 1200));
  EXPECT_EQ(active.count(), 0);
}

TEST(ActiveSeries, AfterALongPauseAllIsForgottenAtOnce) {
  std::atomic<std::uint64_t> bytes{0};
  LeftSeriesRoom room{1U << 20U};
  ActiveSeries active(bytes, room, 100);
  active.put_out(key(1), 0, 1000);
  active.enter(key(2), 1);
  active.put_out(key(2), 1, 1050);
  EXPECT_FALSE(active.was_put_out(key(2), 9000));
  EXPECT_EQ(active.count(), 0);
  EXPECT_EQ(bytes, 0U);
}

TEST(ActiveSeries, PutOutTwiceItCountsOnce) {
  std::atomic<std::uint64_t> bytes{0};
  LeftSeriesRoom room{1U << 20U};
  ActiveSeries active(bytes, room, 100);
  for (std::uint32_t now_s : {1000U, 1150U}) {
    active.enter(key(1), 5);
    active.put_out(key(1), 5, now_s);
    EXPECT_EQ(active.count(), 5);
  }
}

TEST(ActiveSeries, WhatIsRememberedOfAllIsBounded) {
  std::atomic<std::uint64_t> bytes{0};
  LeftSeriesRoom room{10'000};
  ActiveSeries one(bytes, room, 100);
  ActiveSeries other(bytes, room, 100);
  ActiveSeries unlimited(bytes, room, 100);
  unlimited.set_limited(false);
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    for (ActiveSeries* active : {&one, &other, &unlimited}) {
      active->enter(key(number), 1);
      active->put_out(key(number), 1, 1000);
    }
  }
  EXPECT_GT(one.count() + other.count(), 100);
  EXPECT_EQ(unlimited.count(), 0);
  EXPECT_LT(room.bytes, 40'000U);
  EXPECT_FALSE(one.was_put_out(key(1), 9000));
  EXPECT_FALSE(other.was_put_out(key(1), 9000));
  EXPECT_EQ(room.bytes, 0U);
}

TEST(WeightedHashes, BehaveAsAMapUnderRandomUse) {
  WeightedHashes hashes;
  std::map<std::uint64_t, std::uint16_t> model;
  std::mt19937_64 random(7);
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t hash = (random() % 3000) << 16U;
    if (random() % 3 == 0) {
      hashes.erase(hash);
      model.erase(hash);
    } else {
      const auto weight = static_cast<std::uint16_t>(1 + random() % 1000);
      hashes.insert(hash, weight);
      model[hash] = weight;
    }
  }
  for (std::uint64_t number = 0; number < 3000; ++number) {
    const auto found = model.find(number << 16U);
    // Of hashes whose upper bits are 0 the one stands for the next: never both in real life.
    if (number < 2) continue;
    EXPECT_EQ(hashes.find(number << 16U), found == model.end() ? 0 : found->second) << number;
  }
  EXPECT_LE(hashes.bytes(), 16 * 1024U * sizeof(std::uint64_t));
}

}  // namespace
}  // namespace vigia::series
