#include "services/router/upstream/store_health.hpp"

#include <gtest/gtest.h>

namespace vigia::router::upstream {
namespace {

using Condition = StoreHealth::Condition;

const Result<void> kAnswer;
const Result<void> kRefusal = fail(ErrorCode::kUnavailable, "connection refused");
const Result<void> kSilence = fail(ErrorCode::kDeadline, "no answer within 10s");

TEST(StoreHealth, OnlySilenceAndRefusalSpeakAgainstAStore) {
  StoreHealth health;
  EXPECT_EQ(health.condition(), Condition::kAnswers) << "until it was looked at";
  health.note(kSilence);
  EXPECT_EQ(health.condition(), Condition::kSilent);
  EXPECT_TRUE(health.is_lost());
  health.note(kAnswer);
  EXPECT_EQ(health.condition(), Condition::kAnswers);
  EXPECT_FALSE(health.is_lost());
}

TEST(StoreHealth, OneRefusalMayBeAnEndThatStillAnswers) {
  StoreHealth health;
  health.note(kRefusal);
  EXPECT_EQ(health.condition(), Condition::kRefuses);
  EXPECT_FALSE(health.is_lost());
  health.note(kRefusal);
  EXPECT_TRUE(health.is_lost());
  health.note(kAnswer);
  health.note(kRefusal);
  EXPECT_FALSE(health.is_lost()) << "counted anew";
}

TEST(StoreHealth, TheBoundOfAQueryIsReadFromPrometheusFlags) {
  EXPECT_EQ(query_samples_max(R"({"query.lookback-delta":"5m","query.max-samples":"50000000"})"),
            50'000'000U);
  EXPECT_EQ(query_samples_max(R"({"query.lookback-delta":"5m"})"), std::nullopt);
  EXPECT_EQ(query_samples_max(R"({"query.max-samples":"many"})"), std::nullopt);
  EXPECT_EQ(query_samples_max("[]"), std::nullopt);
}

TEST(StoreHealth, WhatIsSwitchedOnIsReadFromPrometheusFlags) {
  EXPECT_EQ(enabled_features(R"({"enable-feature":"a,promql-duration-expr","x":"y"})"),
            "a,promql-duration-expr");
  EXPECT_EQ(enabled_features(R"({"enable-feature":""})"), "") << "none is, and it says so";
  EXPECT_EQ(enabled_features(R"({"query.lookback-delta":"5m"})"), std::nullopt);
}

}  // namespace
}  // namespace vigia::router::upstream
