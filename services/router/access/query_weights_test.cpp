#include "services/router/access/query_weights.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace vigia::router::access {
namespace {

constexpr TimestampMs kHour = 3'600'000;
constexpr QueryCost kLittle{1'000, 10'000};
constexpr QueryCost kMuch{5'000'000, 100};

QueryShape shape(TimestampMs from_ms, TimestampMs to_ms, std::uint64_t steps = 100) {
  return {"up", {from_ms, to_ms}, steps};
}

TEST(QueryWeights, WhatWasSeenIsKnownTheNextTime) {
  QueryWeights weights;
  EXPECT_EQ(weights.weigh("a", shape(0, kHour)), Weight::kUnknown);
  weights.note("a", shape(0, kHour), kLittle);
  EXPECT_EQ(weights.weigh("a", shape(0, kHour)), Weight::kLight);
  EXPECT_EQ(weights.weigh("b", shape(0, kHour)), Weight::kUnknown) << "another customer's";
  weights.note("a", shape(0, kHour), kMuch);
  EXPECT_EQ(weights.weigh("a", shape(0, kHour)), Weight::kHeavy);
  weights.note("a", shape(0, kHour), {0, QueryWeights::kLightBytesMax + 1});
  EXPECT_EQ(weights.weigh("a", shape(0, kHour)), Weight::kHeavy) << "few samples, long labels";
}

// Else a query over a quiet time would prove the same over a time with a thousand times the series.
TEST(QueryWeights, AnotherTimeOrMoreStepsAreNotWhatWasSeen) {
  QueryWeights weights;
  weights.note("a", shape(10 * kHour, 20 * kHour), kLittle);
  EXPECT_EQ(weights.weigh("a", shape(11 * kHour, 21 * kHour)), Weight::kLight) << "a tenth later";
  EXPECT_EQ(weights.weigh("a", shape(12 * kHour, 22 * kHour)), Weight::kUnknown);
  EXPECT_EQ(weights.weigh("a", shape(8 * kHour, 18 * kHour)), Weight::kUnknown);
  EXPECT_EQ(weights.weigh("a", shape(10 * kHour, 20 * kHour, 120)), Weight::kLight);
  EXPECT_EQ(weights.weigh("a", shape(10 * kHour, 20 * kHour, 10'000)), Weight::kUnknown);
  weights.note("a", shape(0, 0, 1), kLittle);
  EXPECT_EQ(weights.weigh("a", shape(60'000, 60'000, 1)), Weight::kLight) << "once a minute";
  EXPECT_EQ(weights.weigh("a", shape(60'001, 60'001, 1)), Weight::kUnknown);
  constexpr TimestampMs kFirst = std::numeric_limits<TimestampMs>::min();
  constexpr TimestampMs kLast = std::numeric_limits<TimestampMs>::max();
  weights.note("a", shape(kFirst, kLast), kLittle);
  EXPECT_EQ(weights.weigh("a", shape(kFirst, kLast)), Weight::kLight);
}

TEST(QueryWeights, WhoseUnknownQueriesAreHeavyIsPresumedToGoOn) {
  QueryWeights weights;
  weights.note("a", shape(0, kHour), kMuch);
  QueryShape other = shape(0, kHour);
  other.text = "never seen";
  EXPECT_EQ(weights.weigh("a", other), Weight::kHeavy);
  EXPECT_EQ(weights.weigh("b", other), Weight::kUnknown);
  other.text = "light";
  weights.note("a", other, kLittle);
  other.text = "never seen";
  EXPECT_EQ(weights.weigh("a", other), Weight::kUnknown);
  EXPECT_EQ(weights.weigh("a", shape(0, kHour)), Weight::kHeavy);
}

TEST(QueryWeights, WhatItRemembersIsBounded) {
  QueryWeights weights;
  QueryShape query = shape(0, kHour);
  for (int i = 0; i < 1'000; ++i) {
    query.text = std::to_string(i) + std::string(2'000, 'x');
    weights.note("a", query, kLittle);
  }
  EXPECT_LE(weights.bytes(), QueryWeights::kCustomerBytesMax + 1'024);
  EXPECT_EQ(weights.weigh("a", query), Weight::kLight);
  query.text = "0" + std::string(2'000, 'x');
  EXPECT_EQ(weights.weigh("a", query), Weight::kUnknown);
  query.text.assign(QueryWeights::kTextBytesMax, 'x');
  weights.note("a", query, kLittle);
  EXPECT_EQ(weights.weigh("a", query), Weight::kUnknown) << "too long to be kept";
  query.text.assign(10'000, 'x');
  for (int customer = 0; customer < 5'000; ++customer) {
    weights.note(std::to_string(customer), query, kLittle);
  }
  EXPECT_LE(weights.bytes(), QueryWeights::kTotalBytesMax);
  EXPECT_EQ(weights.weigh("a", query), Weight::kUnknown);
  EXPECT_EQ(weights.weigh("4999", query), Weight::kLight);
}

TEST(QueryWeights, WhatOneLikeItHasHeldIsKnownUnlessItDidNotEnd) {
  QueryWeights weights;
  const QueryShape shape{"up", {0, 3'600'000}, 10};
  EXPECT_EQ(weights.samples_of("a", shape), std::nullopt);
  weights.note("a", shape, {123, 1});
  EXPECT_EQ(weights.samples_of("a", shape), 123U);
  EXPECT_EQ(weights.samples_of("b", shape), std::nullopt);
  EXPECT_EQ(weights.samples_of("a", {"up", {0, 3'600'000}, 100}), std::nullopt);
  weights.note("a", shape, {QueryCost::kUnknownSamples, 0});
  EXPECT_EQ(weights.samples_of("a", shape), std::nullopt);
}

}  // namespace
}  // namespace vigia::router::access
