#include "libs/deltas/exponential_sum.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/deltas/testing/delta_fixture.hpp"

namespace vigia::deltas {
namespace {

struct Buckets {
  std::int32_t offset = 0;
  std::vector<std::uint64_t> counts;
};

std::string exponential(std::uint64_t time_s, std::int32_t scale, const Buckets& positive,
                        std::uint64_t zero_count = 0, double zero_threshold = 0,
                        const Buckets& negative = {}) {
  ExportMetricsServiceRequest request;
  auto* metric = request.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric->set_name("e");
  auto* histogram = metric->mutable_exponential_histogram();
  histogram->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
  auto* point = histogram->add_data_points();
  point->set_start_time_unix_nano(90'000'000'000);
  point->set_time_unix_nano(time_s * 1'000'000'000);
  point->set_scale(scale);
  std::uint64_t count = zero_count;
  point->mutable_positive()->set_offset(positive.offset);
  for (const auto bucket : positive.counts) {
    point->mutable_positive()->add_bucket_counts(bucket);
    count += bucket;
  }
  point->mutable_negative()->set_offset(negative.offset);
  for (const auto bucket : negative.counts) {
    point->mutable_negative()->add_bucket_counts(bucket);
    count += bucket;
  }
  point->set_zero_count(zero_count);
  point->set_zero_threshold(zero_threshold);
  point->set_count(count);
  point->set_sum(1);
  point->set_max(9);
  return request.SerializeAsString();
}

class ExponentialDeltaTest : public DeltaTest {
 protected:
  otlp::metrics::v1::ExponentialHistogramDataPoint add(const std::string& body) {
    const auto metric = pass(body);
    EXPECT_EQ(metric.exponential_histogram().aggregation_temporality(),
              AGGREGATION_TEMPORALITY_CUMULATIVE);
    return metric.exponential_histogram().data_points(0);
  }
  static std::uint64_t total(const otlp::metrics::v1::ExponentialHistogramDataPoint& point) {
    std::uint64_t count = point.zero_count();
    for (const auto bucket : point.positive().bucket_counts()) count += bucket;
    for (const auto bucket : point.negative().bucket_counts()) count += bucket;
    return count;
  }
};

TEST_F(ExponentialDeltaTest, EqualScalesAddUpBucketByBucket) {
  add(exponential(100, 3, {2, {1, 0, 2}}, 4));
  const auto point = add(exponential(110, 3, {1, {5, 1}}, 1, 0, {-3, {7}}));
  EXPECT_EQ(point.scale(), 3);
  EXPECT_EQ(point.positive().offset(), 1);
  EXPECT_THAT(point.positive().bucket_counts(), testing::ElementsAre(5U, 2U, 0U, 2U));
  EXPECT_EQ(point.negative().offset(), -3);
  EXPECT_THAT(point.negative().bucket_counts(), testing::ElementsAre(7U));
  EXPECT_EQ(point.zero_count(), 5U);
  EXPECT_EQ(point.count(), 21U);
  EXPECT_DOUBLE_EQ(point.sum(), 2);
  EXPECT_FALSE(point.has_max());
  EXPECT_EQ(point.start_time_unix_nano(), 90'000'000'000U);
  EXPECT_EQ(point.time_unix_nano(), 110'000'000'000U);
}

TEST_F(ExponentialDeltaTest, TheCoarserScaleWins) {
  add(exponential(100, 2, {-3, {1, 2, 3, 4}}));  // indexes -3 … 0
  const auto point = add(exponential(110, 1, {-1, {10}}));
  EXPECT_EQ(point.scale(), 1);
  EXPECT_EQ(point.positive().offset(), -2);  // -3 → -2; -2, -1 → -1; 0 → 0
  EXPECT_THAT(point.positive().bucket_counts(), testing::ElementsAre(1U, 15U, 4U));
  EXPECT_EQ(add(exponential(120, 2, {0, {1, 1}})).scale(), 1);
}

TEST_F(ExponentialDeltaTest, BucketsStayBoundedAndNothingIsLost) {
  std::uint64_t sent = 0;
  for (int report = 0; report < 50; ++report) {
    const auto point = add(exponential(static_cast<std::uint64_t>(100 + report), 20,
                                       {report * 1'000'003 - 20'000'000, {1, 2, 3}}, 1));
    sent += 7;
    EXPECT_LE(point.positive().bucket_counts_size(), ExponentialSum::kBucketsMax);
    EXPECT_EQ(total(point), sent);
    EXPECT_EQ(point.count(), sent);
  }
  const auto wide =
      add(exponential(200, 20, {std::numeric_limits<std::int32_t>::max() - 1, {1, 1}}));
  EXPECT_EQ(total(wide), sent + 2);
}

// What no store could take would be lost behind the answer, and with it all that came after it.
TEST_F(ExponentialDeltaTest, WhatLiesTooFarApartForAnyStoreIsRefusedAndTheStreamGoesOn) {
  add(exponential(100, 0, {0, {1, 2}}));
  for (const std::int32_t index : {1 << 20, -(1 << 30)}) {
    EXPECT_EQ(pass(exponential(110, 0, {index, {1}})).exponential_histogram().data_points_size(),
              0);
    EXPECT_EQ(faults_, std::vector{DeltaFault::kUnfit});
  }
  const auto point = add(exponential(120, 0, {0, {1}}));
  EXPECT_EQ(point.scale(), 0);
  EXPECT_EQ(point.count(), 4U);
  EXPECT_THAT(point.positive().bucket_counts(), testing::ElementsAre(2U, 2U));
}

TEST_F(ExponentialDeltaTest, ScalesThatNoSenderHasAreLeftOutAtOnce) {
  add(exponential(100, -32, {0, {1}}));
  EXPECT_EQ(total(add(exponential(110, 64, {0, {1, 1}}))), 3U);
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t scale : {kLeast, -33, 65, kMost}) {
    EXPECT_EQ(pass(exponential(120, scale, {0, {1}})).exponential_histogram().data_points_size(), 0)
        << scale;
  }
}

TEST_F(ExponentialDeltaTest, ZeroThresholdsThatAreNoWidthAreLeftOut) {
  for (const double threshold : {std::nan(""), std::numeric_limits<double>::infinity(), -1.0}) {
    const auto metric = pass(exponential(120, 3, {0, {1}}, 0, threshold));
    EXPECT_EQ(metric.exponential_histogram().data_points_size(), 0) << threshold;
  }
}

TEST_F(ExponentialDeltaTest, AWiderZeroBucketTakesInWhatLiesInIt) {
  add(exponential(100, 0, {-3, {1, 1, 1, 1}}));  // (1/8, 1/4], … (1, 2]
  const auto point = add(exponential(110, 0, {0, {1}}, 2, 0.3));
  EXPECT_EQ(point.zero_count(), 4U);  // that which ends at 1/4, and the one that 0.3 lies in
  EXPECT_DOUBLE_EQ(point.zero_threshold(), 0.5);
  EXPECT_THAT(point.positive().bucket_counts(), testing::ElementsAre(1U, 2U));
  EXPECT_EQ(total(point), point.count());
}

TEST_F(ExponentialDeltaTest, PointsThatWouldBecomeTooMuchCountNothing) {
  ExportMetricsServiceRequest request;
  const std::vector<std::uint64_t> wide(ExponentialSum::kBucketsMax, 1ULL << 50U);
  ASSERT_TRUE(request.ParseFromString(exponential(100, 3, {0, wide})));
  const auto before = add(request.SerializeAsString());
  ASSERT_TRUE(request.ParseFromString(exponential(110, 3, {0, {1}})));
  auto* points = request.mutable_resource_metrics(0)
                     ->mutable_scope_metrics(0)
                     ->mutable_metrics(0)
                     ->mutable_exponential_histogram()
                     ->mutable_data_points();
  const auto point = points->Get(0);
  for (std::uint64_t number = 1; number < 20'000; ++number) {
    *points->Add() = point;
    points->rbegin()->set_time_unix_nano(point.time_unix_nano() + number);
  }
  const std::string many = request.SerializeAsString();  // some 2 MiB, and 50 of what it becomes
  const auto refused = rewrite(many);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  deltas_.discard();
  const auto after = add(exponential(120, 3, {0, {1}}));
  EXPECT_EQ(after.count(), before.count() + 1);
}

}  // namespace
}  // namespace vigia::deltas
