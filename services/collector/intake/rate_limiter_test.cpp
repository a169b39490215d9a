#include "services/collector/intake/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::intake {
namespace {

class RateLimiterTest : public ::testing::Test {
 protected:
  Result<void> charge(const char* customer, const RequestCost& cost) {
    return limiter_.charge(*CustomerId::parse(customer), limits_, cost);
  }
  Result<void> charge_points(std::uint64_t points) {
    return charge("a", {Signal::kMetrics, points, 0});
  }

  ManualClock clock_{0};
  RateLimiter limiter_{clock_};
  tenancy::Limits limits_;
};

TEST_F(RateLimiterTest, AnOverdrawnBucketAsksToWaitAndRefills) {
  limits_.points_per_second = 100;
  EXPECT_TRUE(charge_points(900));
  EXPECT_TRUE(charge_points(500));  // 100 were left; overdrawn by 400
  const auto refused = charge_points(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(refused.error().retry_after, std::chrono::seconds(4));
  EXPECT_EQ(refused.error().message,
            "over the customer's points_per_second of 100; send again in 4 s");
  clock_.advance(std::chrono::seconds(4));
  EXPECT_FALSE(charge_points(1));  // exactly empty
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(charge_points(1));
}

// Three collectors behind a balancer granted three times what the directory says.
TEST_F(RateLimiterTest, SeveralCollectorsGrantARateTogether) {
  limits_.points_per_second = 6000;
  limits_.bytes_per_second = 0;
  std::uint64_t granted = 0;
  for (int collector = 0; collector < 3; ++collector) {
    RateLimiter one(clock_, 3);
    const auto send = [&](std::uint64_t points) {
      return one.charge(*CustomerId::parse("a"), limits_, {Signal::kMetrics, points, 0});
    };
    while (send(1000)) granted += 1000;
    EXPECT_EQ(
        send(1).error().message,
        "over the customer's points_per_second of 6000 among 3 collectors; send again in 1 s");
    const auto large = send(40'001);
    EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
    EXPECT_NE(large.error().message.find("40000 may be"), std::string::npos);
  }
  EXPECT_EQ(granted, 60'000U);  // ten seconds of the whole rate
}

// A1: one request of any size passed while anything was in the bucket.
TEST_F(RateLimiterTest, ARequestOverdrawsByABoundedTime) {
  limits_.points_per_second = 1000;
  EXPECT_TRUE(charge_points(9000));
  const auto later = charge_points(11'001);  // 1,000 are left, 10,000 may be overdrawn
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(later.error().retry_after, std::chrono::seconds(1));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(charge_points(11'001));
  const auto never = charge_points(20'001);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(never.error().message,
            "20001 data points in one request, and 20000 may be at the customer's "
            "points_per_second of 1000; send them in smaller requests");
}

TEST_F(RateLimiterTest, ASmallRequestPassesInItsTurnHoweverLowTheRate) {
  limits_ = {.points_per_second = 1, .bytes_per_second = 1};
  EXPECT_TRUE(charge("a", {Signal::kMetrics, 2000, 4U << 20U}));
  EXPECT_EQ(charge("a", {Signal::kMetrics, 1, 1}).error().code, ErrorCode::kOverLimit);
}

TEST_F(RateLimiterTest, EachSignalHasItsOwnAndBytesAreOfAll) {
  limits_ = {.points_per_second = 1000,
             .spans_per_second = 1000,
             .log_records_per_second = 1000,
             .bytes_per_second = 10U << 20U};
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    EXPECT_TRUE(charge("a", {signal, 20'000, 0}));
    EXPECT_FALSE(charge("a", {signal, 1, 0}));
  }
  limits_.points_per_second = 0;
  EXPECT_TRUE(charge("a", {Signal::kMetrics, 1, 200U << 20U}));
  const auto refused = charge("a", {Signal::kMetrics, 1, 1});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("bytes_per_second"), std::string::npos);
}

TEST_F(RateLimiterTest, WhatOneLimitRefusesTheOtherDoesNotCharge) {
  limits_ = {.points_per_second = 100, .bytes_per_second = 1U << 20U};
  EXPECT_TRUE(charge("a", {Signal::kMetrics, 1000, 0}));
  EXPECT_FALSE(charge("a", {Signal::kMetrics, 1, 10U << 20U}));  // no points left
  EXPECT_TRUE(charge("a", {Signal::kTraces, 1, 20U << 20U}));    // the bytes are all there
}

TEST_F(RateLimiterTest, AFineEmptiesTheBucketNoFurtherThanAnOverdraft) {
  limits_.points_per_second = 1000;
  limiter_.fine(*CustomerId::parse("a"), limits_, {Signal::kMetrics, 1'000'000, 0});
  EXPECT_EQ(charge_points(1).error().retry_after, std::chrono::seconds(10));
}

TEST_F(RateLimiterTest, CustomersDoNotShare) {
  limits_.points_per_second = 1;
  EXPECT_TRUE(charge("a", {Signal::kMetrics, 1000, 0}));
  EXPECT_FALSE(charge("a", {Signal::kMetrics, 1, 0}));
  EXPECT_TRUE(charge("b", {Signal::kMetrics, 1, 0}));
  limits_.points_per_second = 0;
  EXPECT_TRUE(charge("a", {Signal::kMetrics, 1'000'000, 0}));
}

}  // namespace
}  // namespace vigia::collector::intake
