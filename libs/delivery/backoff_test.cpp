#include "libs/delivery/backoff.hpp"

#include <gtest/gtest.h>

namespace vigia::delivery {
namespace {

using namespace std::chrono_literals;

constexpr BackoffSettings kSettings{1s, 30s};
constexpr std::uint32_t kLeast = 0;
constexpr std::uint32_t kMost = 999;

// R-EXP-3.
TEST(Backoff, DoublesToItsLimitAndLeavesHalfToChance) {
  struct Row {
    std::uint32_t failures;
    Duration least, most;
  };
  for (const Row& row : {Row{0, 500ms, 1s}, Row{1, 500ms, 1s}, Row{2, 1s, 2s}, Row{3, 2s, 4s},
                         Row{5, 8s, 16s}, Row{6, 15s, 30s}, Row{1'000'000'000, 15s, 30s}}) {
    EXPECT_EQ(backoff_wait(kSettings, row.failures, std::nullopt, kLeast), row.least)
        << row.failures;
    EXPECT_LT(row.most - backoff_wait(kSettings, row.failures, std::nullopt, kMost), 1us)
        << row.failures;
    EXPECT_LE(backoff_wait(kSettings, row.failures, std::nullopt, kMost), row.most) << row.failures;
  }
}

// R-EXP-3.
TEST(Backoff, WhatTheOtherSideAsksIsTheFloor) {
  EXPECT_EQ(backoff_wait(kSettings, 1, 60s, kLeast), 60s);
  EXPECT_LE(backoff_wait(kSettings, 1, 60s, kMost), 72s);
  EXPECT_GT(backoff_wait(kSettings, 1, 60s, kMost), 72s - 1us);
  EXPECT_EQ(backoff_wait(kSettings, 8, 1ms, kLeast), 15s);
  EXPECT_EQ(backoff_wait(kSettings, 1, 0s, kLeast), 500ms);
}

TEST(Backoff, AnyDiceStayBetweenTheTwo) {
  for (const std::uint32_t dice : {1U, 500U, 1000U, 0xffffffffU}) {
    const Duration wait = backoff_wait(kSettings, 4, std::nullopt, dice);
    EXPECT_GE(wait, 4s) << dice;
    EXPECT_LE(wait, 8s) << dice;
  }
}

TEST(Backoff, DoubledNeverPassesTheLongestNorOverflows) {
  EXPECT_EQ(doubled(500ms, 0, 30s), 500ms);
  EXPECT_EQ(doubled(500ms, 3, 30s), 4s);
  EXPECT_EQ(doubled(500ms, UINT32_MAX, 30s), 30s);
  EXPECT_EQ(doubled(60s, 5, 30s), 30s);
}

}  // namespace
}  // namespace vigia::delivery
