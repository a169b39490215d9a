#include "libs/wire/prometheus/classic_histogram.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace vigia::wire::prometheus {
namespace {

otlp::HistogramPoint classic(const otlp::ExponentialPoint& point) {
  otlp::HistogramPoint made;
  to_classic(point, made);
  EXPECT_EQ(made.bucket_counts.size(), point.is_stale() ? 0 : made.bounds.size() + 1);
  for (std::size_t i = 1; i < made.bounds.size(); ++i)
    EXPECT_LT(made.bounds[i - 1], made.bounds[i]);
  EXPECT_LE(made.bounds.size(), static_cast<std::size_t>(kClassicBoundsMax));
  return made;
}

TEST(ClassicHistogram, HasTheBucketsBoundsAndZeros) {
  otlp::ExponentialPoint point;
  point.count = 10;
  point.zero_count = 2;
  point.zero_threshold = 0.25;
  point.positive = {0, {1, 0, 3}};  // (1, 2], (2, 4], (4, 8]
  point.negative = {-1, {4}};       // [-1, -0.5)
  const auto made = classic(point);
  EXPECT_EQ(made.bounds, (std::vector<double>{-1, -0.5, 0.25, 1, 2, 4, 8}));
  EXPECT_EQ(made.bucket_counts, (std::vector<std::uint64_t>{0, 4, 2, 0, 1, 0, 3, 0}));
  EXPECT_EQ(made.count, 10U);
}

TEST(ClassicHistogram, MergesUntilFewBoundsAreLeftWhichAFinerOneHadToo) {
  otlp::ExponentialPoint point;
  point.scale = 3;
  point.positive = {-40, std::vector<std::uint64_t>(97, 1)};
  point.count = 97;
  const auto fine = classic(point);
  point.positive.counts.resize(500, 1);
  point.count = 500;
  const auto coarse = classic(point);
  EXPECT_GT(coarse.bounds.size(), 40U);
  for (const double bound : coarse.bounds) {
    if (bound < fine.bounds.front() || bound > fine.bounds.back()) continue;
    EXPECT_NE(std::find(fine.bounds.begin(), fine.bounds.end(), bound), fine.bounds.end()) << bound;
  }
  EXPECT_EQ(std::accumulate(coarse.bucket_counts.begin(), coarse.bucket_counts.end(), 0U), 500U);
}

TEST(ClassicHistogram, LeavesOutBoundsThatAreNoNumberAndKeepsTheirCounts) {
  otlp::ExponentialPoint point;
  point.positive = {1022, {1, 2, 4}};  // the second ends at infinity
  point.count = 7;
  const auto made = classic(point);
  EXPECT_EQ(made.bounds.size(), 2U);
  EXPECT_EQ(made.bucket_counts.back(), 6U);
  point.positive = {std::numeric_limits<std::int32_t>::min(), {5}};
  point.count = 5;
  const auto least = classic(point);
  EXPECT_EQ(least.bounds, (std::vector<double>{0}));
  EXPECT_EQ(std::accumulate(least.bucket_counts.begin(), least.bucket_counts.end(), 0U), 5U);
}

TEST(ClassicHistogram, OfNothingAndOfAnEndHasNoBounds) {
  otlp::ExponentialPoint point;
  EXPECT_EQ(classic(point).bounds.size(), 0U);
  point.flags = 1;
  point.positive = {0, {1}};
  EXPECT_EQ(classic(point).bounds.size(), 0U);
}

}  // namespace
}  // namespace vigia::wire::prometheus
