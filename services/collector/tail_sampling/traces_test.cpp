#include "services/collector/tail_sampling/traces.hpp"

#include <gmock/gmock.h>

#include "services/collector/tail_sampling/testing/spans.hpp"

namespace vigia::collector::tail_sampling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = Traces::State;

constexpr TimePoint kStart{std::chrono::hours(1)};
constexpr auto kWait = std::chrono::seconds(10);

/// Keeps what has met the first condition.
TailSamplingSettings errors_of(std::uint64_t num_traces) {
  return settings_of(
      "{decision_wait: 10s, num_traces: " + std::to_string(num_traces) +
      ", policies: [{name: e, type: status_code, status_code: {status_codes: [ERROR]}}]}");
}
TraceFacts span(bool is_error = false) { return {.met = is_error ? 1U : 0U, .spans = 1}; }

TEST(Traces, ATraceIsDecidedByAllThatCameWithinTheWait) {
  const auto settings = errors_of(100);
  Traces traces(settings);
  traces.add("a", trace(1), span(), 1, kStart);
  traces.add("a", trace(2), span(), 1, kStart);
  traces.add("a", trace(1), span(true), 2, kStart + std::chrono::seconds(9));
  traces.decide_due(kStart + kWait - std::chrono::milliseconds(1));
  EXPECT_EQ(traces.find("a", trace(1)), State::kWaiting);
  EXPECT_THAT(traces.take_decided(), IsEmpty());
  traces.decide_due(kStart + kWait);
  EXPECT_EQ(traces.find("a", trace(1)), State::kKept);
  EXPECT_EQ(traces.find("a", trace(2)), State::kDropped);
  EXPECT_EQ(traces.find("b", trace(1)), State::kUnknown) << "another customer's has the same id";
  const auto decided = traces.take_decided();
  ASSERT_EQ(decided.size(), 1U);
  EXPECT_THAT(decided[0].verdicts, ElementsAre(Verdict{trace(1), true}, Verdict{trace(2), false}));
  EXPECT_THAT(traces.take_decided(), IsEmpty());
}

TEST(Traces, ALateSpanFollowsTheVerdictAndChangesNone) {
  const auto settings = errors_of(100);
  Traces traces(settings);
  traces.add("a", trace(1), span(), 1, kStart);
  traces.decide_due(kStart + kWait);
  traces.add("a", trace(1), span(true), 2, kStart + kWait);
  EXPECT_EQ(traces.find("a", trace(1)), State::kDropped);
  EXPECT_EQ(traces.counts().at("a").late_spans, 1U);
}

TEST(Traces, WhoOpensTheMostHasItsOldestDecidedEarly) {
  const auto settings = errors_of(100);
  Traces traces(settings);
  for (std::uint64_t i = 0; i < 10; ++i) traces.add("quiet", trace(i), span(), 1, kStart);
  for (std::uint64_t i = 0; i < 500; ++i) traces.add("loud", trace(i), span(), 2, kStart);
  const auto counts = traces.counts();
  EXPECT_EQ(counts.at("quiet").waiting, 10U);
  EXPECT_EQ(counts.at("quiet").early, 0U);
  EXPECT_LE(counts.at("loud").waiting, 90U);
  EXPECT_GE(counts.at("loud").early, 400U);
  EXPECT_EQ(traces.find("loud", trace(0)), State::kDropped);
  EXPECT_EQ(traces.find("loud", trace(499)), State::kWaiting);
}

TEST(Traces, WhoIsOverItsShareHasNoMoreInMemoryAndTheOthersGoOn) {
  const auto settings = errors_of(100);
  Traces traces(settings);
  for (std::uint64_t i = 0; i < 10; ++i) traces.add("quiet", trace(i), span(), 1, kStart);
  for (std::uint64_t i = 0; i < 100'000; ++i) traces.add("loud", trace(i), span(), 2, kStart);
  EXPECT_THAT(traces.over_share(), ElementsAre("loud"));
  EXPECT_TRUE(traces.is_over_share("loud"));
  EXPECT_FALSE(traces.is_over_share("quiet") || traces.is_over_share("nobody"));
  EXPECT_LE(traces.in_memory(), traces.room());
  EXPECT_EQ(traces.find("loud", trace(99'999)), State::kUnknown);
  traces.add("quiet", trace(10), span(true), 3, kStart);
  EXPECT_EQ(traces.find("quiet", trace(10)), State::kWaiting);
  // What waits already is added to still.
  const auto loud = traces.counts().at("loud");
  traces.add("loud", trace(loud.in_memory - 1), span(true), 3, kStart);
  traces.decide_due(kStart + kWait);
  EXPECT_EQ(traces.find("loud", trace(loud.in_memory - 1)), State::kKept);
}

// By many customers together, each below the mean: still not without end.
TEST(Traces, AtTwiceTheRoomNobodyHasANewOne) {
  const auto settings = errors_of(100);
  Traces traces(settings);
  for (std::uint64_t i = 0; i < 100'000; ++i)
    traces.add("c" + std::to_string(i % 1'000), trace(i), span(), 1, kStart);
  EXPECT_LE(traces.in_memory(), 2 * traces.room());
}

TEST(Traces, AVerdictByARecordAloneIsRememberedWhereThereIsPlace) {
  const auto settings = errors_of(100);
  Traces traces(settings);
  EXPECT_TRUE(traces.decide_alone("loud", trace(1), span(true), 1, kStart));
  EXPECT_FALSE(traces.decide_alone("loud", trace(2), span(), 1, kStart));
  EXPECT_EQ(traces.find("loud", trace(1)), State::kKept);
  EXPECT_EQ(traces.find("loud", trace(2)), State::kDropped);
  const auto decided = traces.take_decided();
  ASSERT_EQ(decided.size(), 1U);
  EXPECT_THAT(decided[0].verdicts, ElementsAre(Verdict{trace(1), true}, Verdict{trace(2), false}));

  for (std::uint64_t i = 10; i < 10'000; ++i) traces.add("loud", trace(i), span(), 2, kStart);
  EXPECT_TRUE(traces.decide_alone("loud", trace(20'000), span(true), 3, kStart));
  EXPECT_EQ(traces.find("loud", trace(20'000)), State::kUnknown);
  EXPECT_EQ(traces.counts().at("loud").by_record, 3U);
  // Once all has been passed and little is remembered it has place again.
  traces.decide_due(kStart + kWait);
  traces.pass(3);
  EXPECT_FALSE(traces.is_over_share("loud"));
  traces.add("loud", trace(30'000), span(), 4, kStart);
  EXPECT_EQ(traces.find("loud", trace(30'000)), State::kWaiting);
}

TEST(Traces, AVerdictIsForgottenOnlyOnceItsLastSpanWasPassed) {
  auto settings = errors_of(100);
  settings.remembered = 10;
  Traces traces(settings);
  for (std::uint64_t i = 0; i < 50; ++i) traces.add("a", trace(i), span(), i + 1, kStart);
  traces.add("a", trace(0), span(), 60, kStart);
  traces.decide_due(kStart + kWait);
  traces.pass(0);
  EXPECT_EQ(traces.in_memory(), 50U);
  // The oldest is needed for its second span, and those behind it do not stay for its sake.
  traces.pass(59);
  EXPECT_EQ(traces.in_memory(), 10U);
  EXPECT_EQ(traces.find("a", trace(0)), State::kDropped);
  EXPECT_EQ(traces.find("a", trace(40)), State::kUnknown);
  EXPECT_EQ(traces.find("a", trace(49)), State::kDropped);
}

TEST(Traces, WhatIsRememberedIsTakenFromWhoHasTheMost) {
  auto settings = errors_of(1'000);
  settings.remembered = 100;
  Traces traces(settings);
  for (std::uint64_t i = 0; i < 20; ++i) traces.add("quiet", trace(i), span(), 1, kStart);
  for (std::uint64_t i = 0; i < 500; ++i) traces.add("loud", trace(i), span(), 2, kStart);
  traces.decide_due(kStart + kWait);
  traces.pass(2);
  EXPECT_EQ(traces.counts().at("quiet").in_memory, 20U);
  EXPECT_EQ(traces.counts().at("loud").in_memory, 80U);
}

TEST(Traces, AnEarlierRunsVerdictsAndLevelsStand) {
  const auto settings = settings_of(
      "{decision_wait: 10s, policies: [{name: r, type: rate_limiting, rate_limiting: "
      "{spans_per_second: 10}}]}");
  Traces first(settings);
  for (std::uint64_t i = 0; i < 25; ++i) first.add("a", trace(i), span(), 1, kStart);
  first.decide_due(kStart + kWait);
  const auto decided = first.take_decided();
  ASSERT_EQ(decided.size(), 1U);
  EXPECT_EQ(first.counts().at("a").kept, 20U);

  Traces second(settings);
  second.restore(decided[0], 1, kStart);
  for (std::uint64_t i = 0; i < 25; ++i)
    EXPECT_EQ(second.find("a", trace(i)), first.find("a", trace(i)));
  second.add("a", trace(100), span(), 2, kStart);
  second.decide_due(kStart + kWait);
  EXPECT_EQ(second.find("a", trace(100)), State::kKept) << "ten seconds have filled it";
  Traces third(settings);
  third.restore(decided[0], 1, kStart);
  third.add("a", trace(100), span(), 2, kStart - kWait);
  third.decide_due(kStart);
  EXPECT_EQ(third.find("a", trace(100)), State::kDropped) << "a restart fills no rate";
}

}  // namespace
}  // namespace vigia::collector::tail_sampling
