#include "services/router/access/query_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(QueryLimits, WhatIsSaidOfOneNamesItAndIsKnownAgain) {
  QueryLimits limits;
  limits.range = seconds(60);
  limits.steps = 5;
  limits.series = 5;
  limits.samples = 5;
  limits.bytes = 5;
  limits.log_lines = 5;
  const std::vector<std::pair<QueryLimit, Result<void>>> refused{
      {QueryLimit::kRange, limits.check_range(0, 60'001)},
      {QueryLimit::kSteps, limits.check_steps(6)},
      {QueryLimit::kSeries, limits.check_series(6)},
      {QueryLimit::kSamples, limits.check_samples(6)},
      {QueryLimit::kBytes, limits.check_bytes(6)},
      {QueryLimit::kLogLines, limits.check_log_lines(6)}};
  for (const auto& [limit, result] : refused) {
    ASSERT_FALSE(result.has_value()) << name_of(limit);
    EXPECT_EQ(limit_of(result.error()), limit);
    EXPECT_THAT(result.error().message, HasSubstr(std::string(name_of(limit))));
  }
  EXPECT_EQ(refused[0].second.error().message,
            "over the limit query_range_seconds (60): from the earliest to the latest time that it "
            "touches are 61 seconds; ask for a shorter time (look-back, offset and subqueries "
            "count). The provider can change the limit");
  EXPECT_EQ(limit_of({ErrorCode::kForbidden, "this token may send data"}), std::nullopt);
  EXPECT_EQ(limit_of({ErrorCode::kForbidden, "over the limit of the sky"}), std::nullopt);
  EXPECT_EQ(limit_of({ErrorCode::kInvalid, refused[0].second.error().message}), std::nullopt);
}

TEST(QueryLimits, AsMuchAsTheLimitIsNotOverIt) {
  QueryLimits limits;
  limits.range = seconds(60);
  limits.steps = 5;
  EXPECT_TRUE(limits.check_range(-30'000, 30'000));
  EXPECT_TRUE(limits.check_range(60'001, 0));
  EXPECT_FALSE(limits.check_range(std::numeric_limits<TimestampMs>::min(),
                                  std::numeric_limits<TimestampMs>::max()));
  EXPECT_TRUE(limits.check_steps(5));
}

TEST(QueryLimits, ZeroIsNone) {
  QueryLimits none;
  none.series = 0;
  none.samples = 0;
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(none.check_range(0, std::numeric_limits<TimestampMs>::max()));
  EXPECT_TRUE(none.check_series(kMost));
  EXPECT_TRUE(none.check_samples(kMost));
  EXPECT_TRUE(none.check_bytes(kMost));
  EXPECT_EQ(none.at_most(seconds(120)), seconds(120));
  EXPECT_EQ(none.range_at_most(seconds(7)), seconds(7));
  EXPECT_EQ(none.first_of(7), std::nullopt);
}

TEST(QueryLimits, ACustomersOwnComeFirst) {
  QueryLimits usual;
  usual.time = seconds(50);
  usual.steps = 7;
  tenancy::Limits own;
  own.query_samples = 10;
  own.query_seconds = 90;
  own.query_range_seconds = std::numeric_limits<std::uint64_t>::max();
  const QueryLimits limits = limits_of(own, usual);
  EXPECT_EQ(limits.samples, 10U);
  EXPECT_EQ(limits.steps, 7U);
  EXPECT_EQ(limits.series, QueryLimits().series);
  EXPECT_EQ(limits.at_most(seconds(120)), seconds(90));
  EXPECT_EQ(limits.at_most(seconds(20)), seconds(20));
  // What is the usual time of log queries is not that of one who may take longer.
  EXPECT_EQ(limits.log_at_most(seconds(120)), seconds(90));
  EXPECT_EQ(usual.log_at_most(seconds(120)), seconds(50));
  EXPECT_EQ(QueryLimits().log_at_most(seconds(120)), seconds(60));
  EXPECT_GT(limits.range, std::chrono::hours(24) * 365 * 200);
}

TEST(QueryLimits, AListBeginsAsEarlyAsItMay) {
  QueryLimits limits;
  limits.range = seconds(60);
  EXPECT_EQ(limits.first_of(100'000), 40'000);
  EXPECT_TRUE(limits.check_range(*limits.first_of(100'000), 100'000));
  EXPECT_EQ(limits.first_of(std::numeric_limits<TimestampMs>::min()),
            std::numeric_limits<TimestampMs>::min());
  EXPECT_EQ(limits.range_at_most(seconds(90)), seconds(60));
}

}  // namespace
}  // namespace vigia::router::access
