#include "libs/rollup/stretch.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace vigia::rollup {
namespace {

constexpr TimestampMs kWidthMs = 300'000;
constexpr TimestampMs kEndMs = 1'000 * kWidthMs;

/// Of `count` samples from `first_ms` to `last_ms` after the window's beginning.
Window window_of(std::uint64_t count, TimestampMs first_ms, TimestampMs last_ms, double first,
                 double last) {
  Window window;
  window.end_ms = kEndMs;
  window.count = count;
  window.first_ms = kEndMs - kWidthMs + first_ms;
  window.last_ms = kEndMs - kWidthMs + last_ms;
  window.first = first;
  window.last = last;
  return window;
}

std::optional<double> increase(const Window& window) {
  return change_of(window, kWidthMs, Change::kIncrease);
}

TEST(Stretch, WhatReachesToTheEdgesIsStretchedToThem) {
  // A sample each minute, ten more each time, five samples in five minutes.
  const Window window = window_of(5, 30'000, 270'000, 100, 140);
  EXPECT_EQ(increase(window), 40.0 * (300.0 / 240.0));
  EXPECT_EQ(change_of(window, kWidthMs, Change::kDelta), increase(window));
  EXPECT_EQ(change_of(window, kWidthMs, Change::kRate), 40.0 * (300.0 / 240.0 / 300.0));
}

TEST(Stretch, WhatEndsEarlierOrBeginsLaterIsStretchedByHalfASpacing) {
  EXPECT_EQ(increase(window_of(3, 66'000, 186'000, 100, 120)), 20.0 * ((120.0 + 30 + 30) / 120.0));
  // 1.1 spacings away is too far, a millisecond less is not.
  EXPECT_EQ(increase(window_of(3, 65'999, 186'000, 100, 120)),
            20.0 * ((120.001 + 65.999 + 30.00025) / 120.001));
}

TEST(Stretch, ACounterIsNotStretchedBelowZeroAndAGaugeIs) {
  const Window window = window_of(5, 30'000, 270'000, 1, 41);
  EXPECT_EQ(increase(window), 40.0 * ((240.0 + 240.0 * (1.0 / 40.0) + 30) / 240.0));
  EXPECT_EQ(change_of(window, kWidthMs, Change::kDelta), 40.0 * (300.0 / 240.0));
}

TEST(Stretch, WhatResetsHaveDroppedIsAddedToACounterAlone) {
  Window window = window_of(5, 30'000, 270'000, 100, 20);
  window.resets = 1;
  window.dropped = 130;
  EXPECT_EQ(increase(window), 50.0 * (300.0 / 240.0));
  EXPECT_EQ(change_of(window, kWidthMs, Change::kDelta), -80.0 * (300.0 / 240.0));
}

TEST(Stretch, OfFewerThanTwoSamplesThereIsNoChange) {
  for (const auto change : {Change::kIncrease, Change::kRate, Change::kDelta}) {
    EXPECT_EQ(change_of(window_of(1, 30'000, 30'000, 5, 5), kWidthMs, change), std::nullopt);
    EXPECT_EQ(change_of(window_of(0, 0, 0, 0, 0), kWidthMs, change), std::nullopt);
  }
}

TEST(Stretch, ANaNStaysOne) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(*increase(window_of(2, 30'000, 270'000, nan, 41))));
}

}  // namespace
}  // namespace vigia::rollup
