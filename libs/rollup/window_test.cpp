// Which samples lie in which window, and what becomes of edges, resets, NaNs and stale marks.
#include "libs/rollup/window.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::rollup {
namespace {

using testing::ElementsAre;

constexpr TimestampMs kSecondMs = 1'000;
constexpr TimestampMs kMinuteMs = 60 * kSecondMs;
constexpr TimestampMs kTen = 1'764'000'000'000;  // a whole hour
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = normalized(std::nan(""));

std::vector<Sample> at_seconds(const std::vector<std::pair<int, double>>& values) {
  std::vector<Sample> samples;
  for (const auto& [second, value] : values) samples.push_back({kTen + second * kSecondMs, value});
  return samples;
}

Window one_of(const std::vector<Sample>& samples) {
  const auto windows = windows_of(samples, 60 * kMinuteMs);
  EXPECT_EQ(windows.size(), 1U);
  return windows.at(0);
}

std::vector<TimestampMs> ends_of(const std::vector<Window>& windows) {
  std::vector<TimestampMs> ends;
  for (const Window& window : windows) ends.push_back(window.end_ms - kTen);
  return ends;
}

Window all_of(const std::vector<Window>& windows) {
  Window all = windows.at(0);
  for (std::size_t i = 1; i < windows.size(); ++i) all = joined(all, windows[i]);
  return all;
}

double increase_of(const Window& window) { return window.last - window.first + window.dropped; }

// C47: a sample on an edge is in one window, the one that it ends.
TEST(WindowTest, ASampleOnAnEdgeIsInTheWindowThatItEnds) {
  const auto windows = windows_of(at_seconds({{0, 1}, {60, 1}, {120, 1}}), kMinuteMs);
  EXPECT_THAT(ends_of(windows), ElementsAre(0, kMinuteMs, 2 * kMinuteMs));
  for (const Window& window : windows) EXPECT_EQ(window.sum, 1);
}

TEST(WindowTest, AMillisecondBehindTheEdgeIsTheNextWindow) {
  std::vector<Sample> samples = at_seconds({{60, 1}});
  samples.push_back({kTen + 60'001, 2});
  samples.push_back({kTen + 120'000, 3});
  const auto windows = windows_of(samples, kMinuteMs);
  EXPECT_THAT(ends_of(windows), ElementsAre(kMinuteMs, 2 * kMinuteMs));
  EXPECT_EQ(windows[1].first_ms, kTen + 60'001);
  EXPECT_EQ(windows[1].last_ms, kTen + 120'000);
}

// C44: 95, 100 | 97, 107 is 5 + 97 + 10 = 112, wherever the edge of the windows lies.
TEST(WindowTest, ACounterThatBeginsAnewBetweenTwoWindowsIsSeenWhereTheyAreJoined) {
  const auto samples = at_seconds({{5, 95}, {15, 100}, {25, 97}, {35, 107}});
  for (const TimestampMs width_s : {5, 10, 20, 30, 3600}) {
    SCOPED_TRACE(width_s);
    const auto windows = windows_of(samples, width_s * kSecondMs);
    EXPECT_EQ(increase_of(all_of(windows)), 112);
    EXPECT_EQ(all_of(windows).resets, 1U);
  }
  const auto halves = windows_of(samples, 20 * kSecondMs);
  ASSERT_EQ(halves.size(), 2U);
  EXPECT_EQ(increase_of(halves[0]) + increase_of(halves[1]), 15) << "neither of them knows of it";
}

TEST(WindowTest, AResetOnEveryEdgeCounts) {
  std::vector<std::pair<int, double>> values;
  for (int i = 0; i < 60; ++i) values.emplace_back(i * 30, i % 2 == 0 ? 10 : 17);
  const Window all = all_of(windows_of(at_seconds(values), kMinuteMs));
  EXPECT_EQ(all.resets, 29U);
  EXPECT_EQ(increase_of(all), 30 * 7 + 29 * 10);
}

TEST(WindowTest, AGapOfWindowsHidesNoReset) {
  const auto windows = windows_of(at_seconds({{30, 100}, {90, 90}, {1000, 50}}), kMinuteMs);
  EXPECT_EQ(windows.size(), 3U);
  EXPECT_EQ(all_of(windows).dropped, 190);
}

TEST(WindowTest, StaleMarksAreNoSamples) {
  const Window window = one_of(at_seconds({{10, 3}, {20, stale_mark()}, {30, 5}}));
  EXPECT_EQ(window.count, 2U);
  EXPECT_EQ(window.last, 5);
  EXPECT_FALSE(window.stale_ms.has_value()) << "a sample follows";
  const Window ended = one_of(at_seconds({{10, 3}, {20, stale_mark()}}));
  EXPECT_EQ(ended.last_ms, kTen + 10 * kSecondMs);
  EXPECT_EQ(ended.stale_ms, kTen + 20 * kSecondMs);
}

TEST(WindowTest, AWindowOfAStaleMarkAloneEndsTheOneBefore) {
  const auto windows = windows_of(at_seconds({{10, 3}, {70, stale_mark()}}), kMinuteMs);
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[1].count, 0U);
  const Window all = all_of(windows);
  EXPECT_EQ(all.count, 1U);
  EXPECT_EQ(all.stale_ms, kTen + 70 * kSecondMs);
  EXPECT_EQ(all.end_ms, windows[1].end_ms);
}

TEST(WindowTest, AStaleMarkBetweenTwoWindowsHidesNoReset) {
  const auto windows =
      windows_of(at_seconds({{10, 30}, {70, stale_mark()}, {130, 4}, {140, 5}}), kMinuteMs);
  const Window all = all_of(windows);
  EXPECT_EQ(all.dropped, 30);
  EXPECT_FALSE(all.stale_ms.has_value());
}

TEST(WindowTest, NansAreCountedAndAreNoExtremes) {
  const Window window = one_of(at_seconds({{10, kNan}, {20, 3}, {30, 2}, {40, kNan}}));
  EXPECT_EQ(window.count, 4U);
  EXPECT_EQ(window.min, 2);
  EXPECT_EQ(window.max, 3);
  EXPECT_EQ(window.resets, 1U) << "3 to 2; nothing is less than a NaN";
  EXPECT_TRUE(std::isnan(window.sum));
  EXPECT_TRUE(std::isnan(window.first));
  EXPECT_TRUE(std::isnan(one_of(at_seconds({{10, kNan}, {20, kNan}})).min));
}

TEST(WindowTest, AnInfiniteSampleMakesTheSumInfinite) {
  EXPECT_EQ(one_of(at_seconds({{10, 1}, {20, kInfinity}, {30, 2}})).sum, kInfinity);
  const auto windows = windows_of(at_seconds({{10, 1}, {70, -kInfinity}, {130, 2}}), kMinuteMs);
  EXPECT_EQ(all_of(windows).sum, -kInfinity);
  EXPECT_TRUE(std::isnan(one_of(at_seconds({{10, kInfinity}, {20, -kInfinity}})).sum));
}

TEST(WindowTest, SmallSamplesAreNotLostBesideLargeOnes) {
  std::vector<std::pair<int, double>> values = {{0, 1e16}};
  for (int i = 1; i <= 1000; ++i) values.emplace_back(i, 1);
  EXPECT_EQ(all_of(windows_of(at_seconds(values), 60 * kMinuteMs)).sum, 1e16 + 1000);
}

TEST(WindowTest, TimesAtTheEndsOfTheRangeAreNoSpecialCase) {
  constexpr TimestampMs kMin = std::numeric_limits<TimestampMs>::min();
  constexpr TimestampMs kMax = std::numeric_limits<TimestampMs>::max();
  EXPECT_EQ(window_end(-1, 10), 0);
  EXPECT_EQ(window_end(-10, 10), -10);
  EXPECT_EQ(window_end(-11, 10), -10);
  EXPECT_EQ(window_end(kMax, 10), kMax);
  EXPECT_EQ(window_end(kMin, 10), kMin + 8);
  EXPECT_EQ(windows_of(std::vector<Sample>{{kMin, 1}, {kMax - 1, 2}, {kMax, 3}}, 10).size(), 2U);
}

TEST(WindowTest, TheLengthsAreThoseOfTheirNames) {
  EXPECT_EQ(width_ms(Resolution::kFiveMinutes), 5 * kMinuteMs);
  EXPECT_EQ(width_ms(Resolution::kHour), 12 * width_ms(Resolution::kFiveMinutes));
  EXPECT_EQ(width_ms(Resolution::kDay), 24 * width_ms(Resolution::kHour));
}

TEST(WindowTest, NothingHasNoWindows) {
  EXPECT_TRUE(windows_of({}, kMinuteMs).empty());
  EXPECT_TRUE(widened({}, kMinuteMs).empty());
}

}  // namespace
}  // namespace vigia::rollup
