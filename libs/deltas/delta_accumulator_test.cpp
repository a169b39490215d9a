#include "libs/deltas/delta_accumulator.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/deltas/testing/delta_fixture.hpp"

namespace vigia::deltas {
namespace {

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
  EXPECT_EQ(deltas_.streams(), 1U);
}

TEST_F(DeltaTest, RequestThatWasNotKeptCountsNothing) {
  pass(sum(100, 5));
  ASSERT_TRUE(rewrite(sum(110, 7)));
  deltas_.discard();
  EXPECT_EQ(pass(sum(110, 7)).sum().data_points(0).as_int(), 12);
}

TEST_F(DeltaTest, LateReportAddsUpAtATimeOfItsOwn) {
  pass(sum(100, 5));
  const auto late = pass(sum(95, 2));
  EXPECT_EQ(late.sum().data_points(0).as_int(), 7);
  EXPECT_GT(late.sum().data_points(0).time_unix_nano(), 100'000'000'000U);
}

// R-PM-5: a sender that has heard no answer sends again.
TEST_F(DeltaTest, ARepeatIsAddedOnce) {
  pass(sum(100, 5));
  EXPECT_EQ(pass(sum(100, 5)).sum().data_points_size(), 0);
  EXPECT_EQ(faults_, std::vector{DeltaFault::kRepeated});
  for (std::uint64_t second = 101; second < 130; ++second) pass(sum(second, 1));
  for (const std::uint64_t second : {100, 101, 115, 129}) {
    EXPECT_EQ(pass(sum(second, 1)).sum().data_points_size(), 0) << second;
  }
  EXPECT_EQ(pass(sum(130, 1)).sum().data_points(0).as_int(), 35);
}

TEST_F(DeltaTest, CumulativeSumsAreLeftAlone) {
  const std::string body = sum(100, 5, false);
  EXPECT_EQ(rewrite(body).value(), body);
}

TEST_F(DeltaTest, OverflowingIntegersGoOnAsDoubles) {
  constexpr std::int64_t kLarge = 9'000'000'000'000'000'000;
  pass(sum(100, kLarge));
  EXPECT_DOUBLE_EQ(pass(sum(110, kLarge)).sum().data_points(0).as_double(), 1.8e19);
}

TEST_F(DeltaTest, IdleSeriesBeginAnewWhenRoomIsNeeded) {
  for (std::uint64_t number = 0; number < kLimits.streams_max; ++number) {
    ExportMetricsServiceRequest request;
    auto* metric = add_metric(request, "m" + std::to_string(number));
    metric->mutable_sum()->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
    auto* point = metric->mutable_sum()->add_data_points();
    point->set_time_unix_nano(1);
    point->set_as_int(1);
    pass(request.SerializeAsString());
  }
  EXPECT_EQ(deltas_.streams(), kLimits.streams_max);
  const std::string one_more = sum(100, 5);
  EXPECT_EQ(decode(rewrite(one_more).value()).sum().data_points_size(),
            0);  // nobody adds it up
  EXPECT_EQ(faults_.size(), 1U);
  clock_.advance(kLimits.idle_max + std::chrono::seconds(1));
  EXPECT_EQ(pass(one_more).sum().aggregation_temporality(), AGGREGATION_TEMPORALITY_CUMULATIVE);
  EXPECT_EQ(deltas_.streams(), 1U);
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
  point->set_as_int(1);
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

TEST_F(DeltaTest, StatesAreBoundedInBytes) {
  const std::vector<std::uint64_t> counts(100'000, 1);
  std::size_t taken = 0;
  for (int number = 0; number < 40; ++number) {
    const auto metric = pass(histogram("h" + std::to_string(number), 100, true, counts, 1));
    taken += static_cast<std::size_t>(metric.histogram().data_points_size());
    EXPECT_EQ(faults_.size() + static_cast<unsigned>(metric.histogram().data_points_size()), 1U);
  }
  EXPECT_GT(taken, 15U);
  EXPECT_LE(taken, kLimits.bytes_max / (16 * counts.size()));
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
    EXPECT_EQ(faults_.size(), made.histogram().data_points_size() == 2 ? 0U : 1U);
    taken += made.histogram().data_points_size() == 2 ? 1U : 0U;
  }
  EXPECT_GT(taken, 15U);
  EXPECT_LE(taken, kLimits.bytes_max / (16 * counts.size()));
}

// C07: newest first in one batch; start and times as if they had stood in order.
TEST_F(DeltaTest, ABatchIsAddedInOrderOfTime) {
  clock_.advance(std::chrono::seconds(100));
  ExportMetricsServiceRequest request;
  auto* metric = add_metric(request, "m");
  metric->mutable_sum()->set_is_monotonic(true);
  metric->mutable_sum()->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
  for (const auto& [begin, value] : {std::pair{20U, 5}, {10U, 3}, {0U, 2}}) {
    auto* point = metric->mutable_sum()->add_data_points();
    point->set_start_time_unix_nano((begin + 1000) * 1'000'000'000ULL);
    point->set_time_unix_nano((begin + 1010) * 1'000'000'000ULL);
    point->set_as_int(value);
  }
  clock_.set_wall_ns(1'030'000'000'000);
  const auto made = pass(request.SerializeAsString()).sum();
  ASSERT_EQ(made.data_points_size(), 3);
  for (const auto& [index, value] : {std::pair{0, 2}, {1, 5}, {2, 10}}) {
    EXPECT_EQ(made.data_points(index).as_int(), value);
    EXPECT_EQ(made.data_points(index).start_time_unix_nano(), 1'000'000'000'000U);
    EXPECT_EQ(made.data_points(index).time_unix_nano(),
              (1'010 + 10 * static_cast<std::uint64_t>(index)) * 1'000'000'000U);
  }
}

// C07: at the limit those that are there go on, and the new one is refused.
TEST_F(DeltaTest, AtTheLimitLiveStreamsGoOn) {
  DeltaAccumulator two(clock_, {.streams_max = 2, .leaves_out_refused = true});
  const auto add = [&](const std::string& name, std::uint64_t time_s) {
    ExportMetricsServiceRequest request;
    auto* metric = add_metric(request, name);
    metric->mutable_sum()->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
    metric->mutable_sum()->add_data_points()->set_time_unix_nano(time_s * 1'000'000'000);
    metric->mutable_sum()->mutable_data_points(0)->set_as_int(1);
    Refusals refusals;
    const auto made = two.rewrite(request.SerializeAsString(), refusals);
    two.commit();
    return refusals.faults.empty() ? decode(*made).sum().data_points(0).as_int() : -1;
  };
  for (std::uint64_t second = 1; second < 20; ++second) {
    EXPECT_EQ(add("s1", second), static_cast<std::int64_t>(second));
    EXPECT_EQ(add("s2", second), static_cast<std::int64_t>(second));
    EXPECT_EQ(add("s3", second), -1);
  }
}

// faults.md 8, for a clock that was ahead by less than what is refused: the right points after it
// are counted, too.
TEST_F(DeltaTest, APointALittleAheadSilencesNothing) {
  clock_.set_wall_ns(1'000'000'000'000);
  pass(sum(1000, 5));
  pass(sum(1000 + 240, 1));
  for (std::uint64_t second = 1010; second < 1050; second += 10) {
    const auto right = pass(sum(second, 1)).sum();
    ASSERT_EQ(right.data_points_size(), 1);
    EXPECT_EQ(right.data_points(0).as_int(), static_cast<std::int64_t>(6 + (second - 1000) / 10));
  }
}

// What was sent by one that has lost its state would stand beside a newer sum of another.
TEST_F(DeltaTest, BehindAGapItBeginsAnewWhereOthersMayHaveHadWhatLiesThere) {
  DeltaAccumulator one(clock_, {.restarts_at_gaps = true});
  Refusals refusals;
  const auto value = [&](std::uint64_t time_s) {
    auto made = decode(*one.rewrite(sum(time_s, 5), refusals)).sum().data_points(0);
    one.commit();
    return std::pair{made.as_int(), made.start_time_unix_nano() / 1'000'000'000};
  };
  EXPECT_EQ(value(100), (std::pair<std::int64_t, std::uint64_t>{5, 90}));
  EXPECT_EQ(value(110), (std::pair<std::int64_t, std::uint64_t>{10, 90}));
  EXPECT_EQ(value(130), (std::pair<std::int64_t, std::uint64_t>{5, 120}));
  EXPECT_EQ(value(140), (std::pair<std::int64_t, std::uint64_t>{10, 120}));
}

TEST_F(DeltaTest, WhatIsNoFiniteNumberOrFallsIsRefusedAlone) {
  pass(sum(100, 5));
  EXPECT_EQ(pass(sum(110, -1)).sum().data_points_size(), 0);
  ExportMetricsServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(sum(120, 1)));
  auto* point = request.mutable_resource_metrics(0)
                    ->mutable_scope_metrics(0)
                    ->mutable_metrics(0)
                    ->mutable_sum()
                    ->mutable_data_points(0);
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    point->set_as_double(value);
    EXPECT_EQ(pass(request.SerializeAsString()).sum().data_points_size(), 0);
    EXPECT_EQ(faults_, std::vector{DeltaFault::kUnfit});
  }
  EXPECT_EQ(pass(sum(130, 1)).sum().data_points(0).as_int(), 6);
}

TEST_F(DeltaTest, SumsThatMayFallDo) {
  ExportMetricsServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(sum(100, -3)));
  auto* metric = request.mutable_resource_metrics(0)->mutable_scope_metrics(0)->mutable_metrics(0);
  metric->mutable_sum()->set_is_monotonic(false);
  const auto made = pass(request.SerializeAsString()).sum();
  EXPECT_EQ(made.data_points(0).as_int(), -3);
  EXPECT_FALSE(made.is_monotonic());
}

TEST_F(DeltaTest, OneStreamWhateverTheOrderOfAttributes) {
  ExportMetricsServiceRequest request;
  const auto body = [&](std::uint64_t time_s, bool is_turned) {
    EXPECT_TRUE(request.ParseFromString(sum(time_s, 1)));
    auto* group = request.mutable_resource_metrics(0);
    auto* point =
        group->mutable_scope_metrics(0)->mutable_metrics(0)->mutable_sum()->mutable_data_points(0);
    set_text(point->add_attributes(), "b", "2");
    set_text(group->mutable_resource()->add_attributes(), "k", "v");
    if (is_turned) {
      point->mutable_attributes()->SwapElements(0, 1);
      group->mutable_resource()->mutable_attributes()->SwapElements(0, 1);
    }
    return request.SerializeAsString();
  };
  pass(body(100, false));
  EXPECT_EQ(pass(body(110, true)).sum().data_points(0).as_int(), 2);
  EXPECT_EQ(deltas_.streams(), 1U);
}

class SharedRoomTest : public DeltaTest {
 protected:
  /// As many streams as there is room for; the bytes that its owner then has.
  static std::size_t fill(DeltaAccumulator& owner, bool commits = true) {
    Refusals refusals;
    for (int name = 0; refusals.faults.empty(); ++name) {
      ExportMetricsServiceRequest request;
      auto* metric = add_metric(request, "m" + std::to_string(name));
      metric->mutable_sum()->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
      metric->mutable_sum()->add_data_points()->set_time_unix_nano(1);
      metric->mutable_sum()->mutable_data_points(0)->set_as_int(1);
      EXPECT_TRUE(owner.rewrite(request.SerializeAsString(), refusals));
      if (commits) owner.commit();
    }
    return owner.bytes();
  }
  std::unique_ptr<DeltaAccumulator> another() {
    return std::make_unique<DeltaAccumulator>(
        clock_, AccumulatorSettings{.leaves_out_refused = true, .room = &room_});
  }

  SharedRoom room_{.bytes_max = 400'000, .sharers = 20};
};

// Each had two thirds of what those before it had left: the tenth some hundred bytes.
TEST_F(SharedRoomTest, EachHasItsPartWhoeverCameBefore) {
  std::vector<std::unique_ptr<DeltaAccumulator>> owners;
  for (std::size_t i = 0; i < room_.sharers; ++i) {
    owners.push_back(another());
    EXPECT_GE(fill(*owners.back()), room_.part() - 1'000) << i;
    EXPECT_LE(room_.used, room_.bytes_max);
  }
  // The first has twice what it left free of the half that is nobody's, beside its part.
  EXPECT_NEAR(static_cast<double>(owners[0]->bytes()), 10'000 + 133'333, 1'000);
}

TEST_F(SharedRoomTest, WhatIsNotCommittedYetCounts) {
  const auto first = another();
  const auto second = another();
  fill(*first, false);
  const std::size_t under_way = room_.used;
  EXPECT_GT(under_way, 100'000U);
  fill(*second, false);
  EXPECT_LE(room_.used, room_.bytes_max);
  first->discard();
  second->discard();
  EXPECT_EQ(room_.used, 0U);
  EXPECT_EQ(room_.beyond, 0U);
}

TEST_F(SharedRoomTest, AChangeOfSharersMovesWhatIsBeyondTheirParts) {
  const auto owner = another();
  fill(*owner);
  const std::size_t beyond = room_.beyond;
  room_.sharers = 2;
  owner->recount();
  EXPECT_EQ(room_.beyond, beyond - (100'000 - 10'000));
  EXPECT_EQ(room_.used, owner->bytes());
}

}  // namespace
}  // namespace vigia::deltas
