#include "services/router/run/kept_steps.hpp"

#include <gtest/gtest.h>

#include "services/router/testing/questions.hpp"

namespace vigia::router::run {
namespace {

constexpr std::int64_t kSteps = 100;
constexpr TimestampMs kFirstMs = testing::kNowMs - (kSteps - 1) * 1'000;

/// Of a query of a hundred steps of a second.
std::uint32_t steps_of(const std::string& query, TimestampMs edge_ms) {
  const plan::Question question = testing::range_of(query, kSteps);
  return steps_until(*question.expr, question, edge_ms);
}

TEST(StepsUntil, CountsByAllThatAStepReads) {
  EXPECT_EQ(steps_of("up", kFirstMs - 1), 0U);
  EXPECT_EQ(steps_of("up", kFirstMs), 1U);
  EXPECT_EQ(steps_of("up", kFirstMs + 9'999), 10U);
  EXPECT_EQ(steps_of("up", kFirstMs + 10'000), 11U);
  EXPECT_EQ(steps_of("up", testing::kNowMs), kSteps);
  EXPECT_EQ(steps_of("up", testing::kNowMs + 1'000'000), kSteps);
  EXPECT_EQ(steps_of("rate(up[5m])", kFirstMs + 10'000), 11U);
  EXPECT_EQ(steps_of("up offset 10s", kFirstMs), 11U);
  EXPECT_EQ(steps_of("up offset -10s", kFirstMs + 10'000), 1U);
  EXPECT_EQ(steps_of("up + (up offset -10s)", kFirstMs + 10'000), 1U);
  EXPECT_EQ(steps_of("max_over_time((up offset -10s)[1m:1s])", kFirstMs + 10'000), 1U);
}

TEST(StepsUntil, WhatStandsStillIsPastOrNot) {
  const std::string past = "up @ " + std::to_string(kFirstMs / 1'000 - 10);
  const std::string later = "up @ " + std::to_string(kFirstMs / 1'000 + 10);
  EXPECT_EQ(steps_of(past, kFirstMs - 10'001), 0U);
  EXPECT_GE(steps_of(past, kFirstMs - 10'000), 1U);
  EXPECT_EQ(steps_of(later + " + up", kFirstMs + 9'000), 0U);
  EXPECT_EQ(steps_of(later + " + up", kFirstMs + 10'000), 1U);
  EXPECT_EQ(steps_of("1", testing::kNowMs), 0U) << "no store has anything of it";
}

// A page that refreshes keeps its answer on each time: its first steps were read long before.
TEST(ReadSince, IsOfTheOldestPart) {
  const TimePoint then{std::chrono::hours(1)};
  const TimePoint now{std::chrono::hours(2)};
  const auto matrix =
      cache::KeptMatrix::read(R"({"resultType":"matrix","result":[]})", {0, 1'000, 2}, 0, 2);
  ASSERT_TRUE(matrix.has_value());
  const cache::KeptAnswer found{"state", then, *matrix};
  EXPECT_EQ(read_since(nullptr, now), now);
  EXPECT_EQ(read_since(&found, now), then);
}

}  // namespace
}  // namespace vigia::router::run
