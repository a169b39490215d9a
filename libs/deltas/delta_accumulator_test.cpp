#include "libs/deltas/delta_accumulator.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/deltas/testing/delta_requests.hpp"

namespace vigia::deltas {
namespace {

class DeltaTest : public testing::Test {
 protected:
  static std::string sum(std::uint64_t time_s, std::int64_t value, bool is_delta = true) {
    ExportMetricsServiceRequest request;
    auto* metric = add_metric(request, "orders");
    metric->mutable_sum()->set_is_monotonic(true);
    metric->mutable_sum()->set_aggregation_temporality(
        is_delta ? AGGREGATION_TEMPORALITY_DELTA : AGGREGATION_TEMPORALITY_CUMULATIVE);
    auto* point = metric->mutable_sum()->add_data_points();
    set_text(point->add_attributes(), "a", "1");
    point->set_start_time_unix_nano((time_s - 10) * 1'000'000'000);
    point->set_time_unix_nano(time_s * 1'000'000'000);
    point->set_as_int(value);
    return request.SerializeAsString();
  }
  static otlp::metrics::v1::Metric* add_metric(ExportMetricsServiceRequest& request,
                                               const std::string& name) {
    auto* resource = request.add_resource_metrics();
    set_text(resource->mutable_resource()->add_attributes(), "service.name", "tienda");
    auto* metric = resource->add_scope_metrics()->add_metrics();
    metric->set_name(name);
    metric->set_unit("s");
    return metric;
  }
  static otlp::metrics::v1::Metric decode(const std::string& body) {
    ExportMetricsServiceRequest request;
    EXPECT_TRUE(request.ParseFromString(body));
    return request.resource_metrics(0).scope_metrics(0).metrics(0);
  }
  otlp::metrics::v1::Metric pass(const std::string& body) {
    const auto rewritten = deltas_.rewrite(body);
    deltas_.commit();
    EXPECT_TRUE(rewritten) << rewritten.error().message;
    return rewritten ? decode(*rewritten) : otlp::metrics::v1::Metric{};
  }

  ManualClock clock_{0};
  DeltaAccumulator deltas_{clock_};
};

TEST_F(DeltaTest, SumsAddUpFromTheFirstStart) {
  const auto first = pass(sum(100, 5));
  EXPECT_EQ(first.sum().aggregation_temporality(), AGGREGATION_TEMPORALITY_CUMULATIVE);
  EXPECT_TRUE(first.sum().is_monotonic());
  EXPECT_EQ(first.sum().data_points(0).as_int(), 5);
  const auto second = pass(sum(110, 7));
  EXPECT_EQ(second.sum().data_points(0).as_int(), 12);
  EXPECT_EQ(second.sum().data_points(0).start_time_unix_nano(), 90'000'000'000U);
  EXPECT_EQ(second.sum().data_points(0).time_unix_nano(), 110'000'000'000U);
  EXPECT_EQ(second.sum().data_points(0).attributes(0).value().string_value(), "1");
  EXPECT_EQ(deltas_.series(), 1U);
}

TEST_F(DeltaTest, RequestThatWasNotKeptCountsNothing) {
  pass(sum(100, 5));
  ASSERT_TRUE(deltas_.rewrite(sum(110, 7)));
  deltas_.discard();
  EXPECT_EQ(pass(sum(110, 7)).sum().data_points(0).as_int(), 12);
}

TEST_F(DeltaTest, LateReportAddsUpAtATimeOfItsOwn) {
  pass(sum(100, 5));
  const auto late = pass(sum(100, 2));
  EXPECT_EQ(late.sum().data_points(0).as_int(), 7);
  EXPECT_GT(late.sum().data_points(0).time_unix_nano(), 100'000'000'000U);
}

TEST_F(DeltaTest, CumulativeSumsAreLeftAlone) {
  const std::string body = sum(100, 5, false);
  EXPECT_EQ(deltas_.rewrite(body).value(), body);
}

TEST_F(DeltaTest, OverflowingIntegersGoOnAsDoubles) {
  constexpr std::int64_t kLarge = 9'000'000'000'000'000'000;
  pass(sum(100, kLarge));
  EXPECT_DOUBLE_EQ(pass(sum(110, kLarge)).sum().data_points(0).as_double(), 1.8e19);
}

TEST_F(DeltaTest, IdleSeriesBeginAnewWhenRoomIsNeeded) {
  for (std::uint64_t number = 0; number < DeltaAccumulator::kSeriesMax; ++number) {
    ExportMetricsServiceRequest request;
    auto* metric = add_metric(request, "m" + std::to_string(number));
    metric->mutable_sum()->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
    metric->mutable_sum()->add_data_points()->set_time_unix_nano(1);
    pass(request.SerializeAsString());
  }
  EXPECT_EQ(deltas_.series(), DeltaAccumulator::kSeriesMax);
  const std::string one_more = sum(100, 5);
  EXPECT_EQ(decode(deltas_.rewrite(one_more).value()).sum().data_points_size(),
            0);  // nobody adds it up
  EXPECT_EQ(deltas_.points_left_out(), 1U);
  clock_.advance(DeltaAccumulator::kIdleMax + std::chrono::seconds(1));
  EXPECT_EQ(pass(one_more).sum().aggregation_temporality(), AGGREGATION_TEMPORALITY_CUMULATIVE);
  EXPECT_EQ(deltas_.series(), 1U);
}

TEST_F(DeltaTest, HistogramsAddUpBucketByBucket) {
  pass(histogram("h", 100, true, {1, 2, 3}, 10));
  const auto metric = pass(histogram("h", 110, true, {1, 0, 1}, 4.5));
  const auto& point = metric.histogram().data_points(0);
  EXPECT_THAT(point.bucket_counts(), testing::ElementsAre(2U, 2U, 4U));
  EXPECT_THAT(point.explicit_bounds(), testing::ElementsAre(1, 2));
  EXPECT_EQ(point.count(), 8U);
  EXPECT_DOUBLE_EQ(point.sum(), 14.5);
  EXPECT_FALSE(point.has_min());
  EXPECT_FALSE(point.has_max());
}

TEST_F(DeltaTest, OtherBoundsBeginAnew) {
  pass(histogram("h", 100, true, {1, 2, 3}, 10));
  const auto metric = pass(histogram("h", 110, true, {4, 4}, 1));
  EXPECT_EQ(metric.histogram().data_points(0).count(), 8U);
  EXPECT_THAT(metric.histogram().data_points(0).bucket_counts(), testing::ElementsAre(4U, 4U));
}

// One point of a clock that was ahead for a moment silenced its series until then.
TEST_F(DeltaTest, APointFromTheFutureMovesNoSeriesTime) {
  clock_.advance(std::chrono::seconds(100));
  pass(sum(100, 5));
  const auto ahead = pass(sum(100 + 7200, 1)).sum().data_points(0);
  EXPECT_EQ(ahead.time_unix_nano(), 7'300'000'000'000U);  // as it came: the collector refuses it
  EXPECT_EQ(ahead.start_time_unix_nano(), 90'000'000'000U);
  for (std::uint64_t second = 110; second < 130; ++second) {
    const auto right = pass(sum(second, 1)).sum().data_points(0);
    EXPECT_EQ(right.time_unix_nano(), second * 1'000'000'000);
    EXPECT_EQ(right.as_int(), static_cast<std::int64_t>(6 + second - 109));  // nothing is lost
  }
}

TEST_F(DeltaTest, AFirstPointFromTheFutureSetsNoStartThere) {
  clock_.advance(std::chrono::seconds(100));
  pass(sum(100 + 7200, 1));
  const auto right = pass(sum(110, 1)).sum().data_points(0);
  EXPECT_EQ(right.time_unix_nano(), 110'000'000'000U);
  EXPECT_EQ(right.start_time_unix_nano(), 100'000'000'000U);
}

TEST_F(DeltaTest, AStartAfterItsPointIsNone) {
  ExportMetricsServiceRequest request;
  auto* metric = add_metric(request, "m");
  metric->mutable_sum()->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
  auto* point = metric->mutable_sum()->add_data_points();
  point->set_time_unix_nano(5);
  point->set_start_time_unix_nano(9);
  EXPECT_EQ(pass(request.SerializeAsString()).sum().data_points(0).start_time_unix_nano(), 5U);
}

TEST_F(DeltaTest, WhereThisNodesClockWasAheadTheSeriesBeginsAnew) {
  clock_.set_wall_ns(7'200'000'000'000);
  pass(sum(7200, 5));
  clock_.set_wall_ns(100'000'000'000);  // NTP has mended it
  const auto first = pass(sum(100, 1)).sum().data_points(0);
  EXPECT_EQ(first.time_unix_nano(), 100'000'000'000U);
  EXPECT_EQ(first.start_time_unix_nano(), 90'000'000'000U);
  EXPECT_EQ(first.as_int(), 1);
  EXPECT_EQ(pass(sum(110, 1)).sum().data_points(0).as_int(), 2);
}

// C07: newest first in one batch.
TEST_F(DeltaTest, ReportsOutOfOrderAllCount) {
  pass(sum(30, 5));
  pass(sum(20, 3));
  EXPECT_EQ(pass(sum(10, 2)).sum().data_points(0).as_int(), 10);
}

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

TEST_F(DeltaTest, StatesAreBoundedInBytes) {
  const std::vector<std::uint64_t> counts(100'000, 1);
  std::size_t taken = 0;
  for (int number = 0; number < 40; ++number) {
    const auto metric = pass(histogram("h" + std::to_string(number), 100, true, counts, 1));
    taken += static_cast<std::size_t>(metric.histogram().data_points_size());
    EXPECT_EQ(
        deltas_.points_left_out() + static_cast<unsigned>(metric.histogram().data_points_size()),
        1U);
  }
  EXPECT_GT(taken, 15U);
  EXPECT_LE(taken, DeltaAccumulator::kBytesMax / (16 * counts.size()));
}

// A first point of one bucket reserved room for it alone, whatever came after it in the request.
TEST_F(DeltaTest, LaterPointsOfARequestAreBoundedInBytesToo) {
  const std::vector<std::uint64_t> counts(100'000, 1);
  std::size_t taken = 0;
  for (int number = 0; number < 40; ++number) {
    const std::string name = "h" + std::to_string(number);
    ExportMetricsServiceRequest small;
    ASSERT_TRUE(small.ParseFromString(histogram(name, 100, true, {1}, 1)));
    ExportMetricsServiceRequest large;
    ASSERT_TRUE(large.ParseFromString(histogram(name, 101, true, counts, 1)));
    auto* metric = small.mutable_resource_metrics(0)->mutable_scope_metrics(0)->mutable_metrics(0);
    *metric->mutable_histogram()->add_data_points() =
        large.resource_metrics(0).scope_metrics(0).metrics(0).histogram().data_points(0);
    const auto made = pass(small.SerializeAsString());
    EXPECT_EQ(deltas_.points_left_out(), made.histogram().data_points_size() == 2 ? 0U : 1U);
    taken += made.histogram().data_points_size() == 2 ? 1U : 0U;
  }
  EXPECT_GT(taken, 15U);
  EXPECT_LE(taken, DeltaAccumulator::kBytesMax / (16 * counts.size()));
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
  for (int number = 0; number < 20'000; ++number) *points->Add() = point;
  const std::string many = request.SerializeAsString();  // some 2 MiB, and 50 of what it becomes
  const auto refused = deltas_.rewrite(many);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  deltas_.discard();
  const auto after = add(exponential(120, 3, {0, {1}}));
  EXPECT_EQ(after.count(), before.count() + 1);
}

}  // namespace
}  // namespace vigia::deltas
