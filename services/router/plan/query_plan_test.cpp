#include "services/router/plan/query_plan.hpp"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "services/router/plan/limits.hpp"
#include "services/router/testing/plan_text.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using access::Weight;
using promql::Dialect;
using testing::kNowMs;

constexpr TimestampMs kFiveMinutes = 300'000;

/// Of "up" at kNowMs, unless `query` is another.
struct Case {
  const char* what;
  bool has_shard;
  bool has_long_term;
  std::optional<TimestampMs> covered_from;
  std::optional<coverage::ColdReplacement> replaced;
  std::string steps;
};

Knowledge known_of(const Case& each) {
  Knowledge known;
  if (each.has_shard) known.hot = {{0, {each.covered_from, 0}}};
  known.has_long_term = each.has_long_term;
  known.dialect = Dialect::kPrometheus3;
  known.replaced = each.replaced;
  return known;
}

std::string planned(const Question& question, const Knowledge& known) {
  const auto plan = make_plan(question, known);
  return plan ? testing::text_of(*plan) : plan.error().message;
}

TEST(QueryPlan, TheStoreThatIsKnownToHoldAllIsAskedFirst) {
  constexpr TimestampMs kLong = kNowMs - 10 * kFiveMinutes;
  constexpr TimestampMs kShort = kNowMs - 1'000;
  const std::optional<coverage::ColdReplacement> none;
  const coverage::ColdReplacement of_now{kNowMs};
  const coverage::ColdReplacement of_old{kLong};
  const coverage::ColdReplacement of_unknown{std::nullopt};
  const std::string whole = "hot:holds long-term hot:instead";
  const std::string past = "long-term hot:instead";
  const std::string no_store = "the hot store of this customer is not configured";
  for (const Case& each : std::initializer_list<Case>{
           {"hot covers", true, true, kLong, none, whole},
           {"hot covers just as much", true, true, kNowMs - kFiveMinutes, none, whole},
           {"hot covers a millisecond less", true, true, kNowMs - kFiveMinutes + 1, none, past},
           {"hot covers some", true, true, kShort, none, past},
           {"nobody knows", true, true, std::nullopt, none, past},
           {"no long-term store, and hot covers", true, false, kLong, none, "hot:alone"},
           {"no long-term store, and it does not", true, false, kShort, none, "hot:alone"},
           {"no long-term store, nobody knows", true, false, std::nullopt, none, "hot:alone"},
           {"no shard", false, true, std::nullopt, none, "long-term"},
           {"no shard and no other", false, false, std::nullopt, none, no_store},
           {"a new cold store, hot covers", true, true, kLong, of_now, whole},
           {"a new cold store has less than hot", true, true, kShort, of_now, "hot:more long-term"},
           {"an unknown cold store", true, true, kShort, of_unknown, "hot:more long-term"},
           {"a new cold store that has it all", true, true, kShort, of_old, past},
           {"a new cold store has more than hot", true, true, kNowMs - 1,
            coverage::ColdReplacement{kNowMs - 2}, past},
           {"a new cold store, hot unknown", true, true, std::nullopt, of_now, past},
           {"a new cold store, no shard", false, true, std::nullopt, of_now, "long-term"}}) {
    EXPECT_EQ(planned(testing::instant("up"), known_of(each)), each.steps) << each.what;
  }
}

TEST(QueryPlan, HotIsAskedAtItsShardAndEverythingRaw) {
  Knowledge known;
  known.hot = {{3, {}}};
  known.has_long_term = true;
  const auto plan = make_plan(testing::instant("up"), known);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->steps.back().member, 3U);
  for (const Step& step : plan->steps) EXPECT_EQ(step.resolution, Resolution::kRaw);
  EXPECT_FALSE(plan->worse_cold.has_value());
}

TEST(QueryPlan, AStepsTextNamesItsResolutionWhereItIsNotRaw) {
  struct Thinned {
    Resolution resolution;
    const char* text;
  };
  for (const auto& each :
       {Thinned{Resolution::kRaw, "long-term"}, Thinned{Resolution::kFiveMinutes, "long-term@5m"},
        Thinned{Resolution::kHour, "long-term@1h"}, Thinned{Resolution::kDay, "long-term@1d"}}) {
    const Step step{Store::kLongTerm, Standing::kLongTerm, each.resolution, 0};
    EXPECT_EQ(testing::text_of(step), each.text);
  }
}

std::shared_ptr<const Thinned> thinned_in(Resolution resolution) {
  Thinned thinned;
  thinned.resolution = resolution;
  return std::make_shared<const Thinned>(std::move(thinned));
}

// Where the long-term store is asked first, and nowhere else.
TEST(QueryPlan, RollUpsAreAskedForBeforeTheSamples) {
  Knowledge known;
  known.thinned = thinned_in(Resolution::kHour);
  known.has_long_term = true;
  const Question question = testing::instant("up");
  EXPECT_EQ(planned(question, known), "long-term@1h long-term");
  known.hot = {{0, {}}};
  EXPECT_EQ(planned(question, known), "long-term@1h long-term hot:instead");
  EXPECT_EQ(make_plan(question, known)->steps.front().thinned, known.thinned);
  EXPECT_EQ(make_plan(question, known)->steps.back().thinned, nullptr);
  known.thinned = thinned_in(Resolution::kDay);
  EXPECT_EQ(planned(question, known), "long-term@1d long-term hot:instead");
  known.hot = {{0, {kNowMs - 1'000, 0}}};
  known.replaced = coverage::ColdReplacement{kNowMs};
  EXPECT_EQ(planned(question, known), "hot:more long-term");
  known.hot = {{0, {0, 0}}};
  EXPECT_EQ(planned(question, known), "hot:holds long-term hot:instead");
  known.has_long_term = false;
  EXPECT_EQ(planned(question, known), "hot:alone");
}

TEST(QueryPlan, WhereSamplesHaveExpiredNearWindowsStandBeforeThem) {
  const Question question = testing::instant("up");
  Knowledge known;
  known.has_long_term = true;
  known.nearly = thinned_in(Resolution::kFiveMinutes);
  EXPECT_EQ(planned(question, known), "long-term") << "nobody says that they have";
  known.kept = coverage::KeptFrom{1, {kNowMs - kFiveMinutes, 0, 0, 0}};
  EXPECT_EQ(planned(question, known), "long-term") << "all that is asked for is there";
  known.kept = coverage::KeptFrom{1, {kNowMs - kFiveMinutes + 1, 0, 0, 0}};
  EXPECT_EQ(planned(question, known), "long-term@5m long-term");
  known.thinned = thinned_in(Resolution::kHour);
  EXPECT_EQ(planned(question, known), "long-term@1h long-term@5m long-term");
  known.kept->of[static_cast<std::size_t>(Resolution::kHour)] = kNowMs;
  EXPECT_EQ(planned(question, known), "long-term@5m long-term") << "windows of 1h have, too";
  known.nearly = nullptr;
  EXPECT_EQ(planned(question, known), "long-term");
}

TEST(QueryPlan, WhatTouchesNothingIsTheSameEverywhere) {
  const Question sum = testing::instant("1 + 1");
  Knowledge known;
  known.elsewhere = {0, 1};
  EXPECT_EQ(planned(sum, known), "hot:holds hot:holds#1") << "without a shard of its own";
  known.hot = {{2, {}}, {3, {}}};
  EXPECT_EQ(planned(sum, known), "hot:holds#2 hot:holds#3 hot:holds hot:holds#1");
  known.has_long_term = true;
  const std::string all = "hot:holds#2 hot:holds#3 long-term hot:holds hot:holds#1";
  EXPECT_EQ(planned(sum, known), all);
  known.replaced = coverage::ColdReplacement{};
  known.weight = Weight::kHeavy;
  EXPECT_EQ(planned(sum, known), all);
}

/// Two members, and what each covers.
struct PairCase {
  const char* what;
  std::optional<TimestampMs> first;
  std::optional<TimestampMs> second;
  std::string with_long_term;
  std::string without;
};

TEST(QueryPlan, OfAPairWhoHoldsAllIsAskedFirst) {
  constexpr TimestampMs kLong = kNowMs - 10 * kFiveMinutes;
  constexpr TimestampMs kShort = kNowMs - 120'000;
  constexpr TimestampMs kShorter = kNowMs - 1'000;
  const std::optional<TimestampMs> none;
  for (const PairCase& each : std::initializer_list<PairCase>{
           {"both", kLong, kLong, "hot:holds hot:holds#1 long-term hot:instead hot:instead#1",
            "hot:holds hot:holds#1 hot:alone hot:lesser#1"},
           {"the other came back empty", kLong, kShort,
            "hot:holds long-term hot:instead hot:instead#1", "hot:holds hot:alone hot:lesser#1"},
           {"the first came back empty", kShort, kLong,
            "hot:holds#1 long-term hot:instead#1 hot:instead",
            "hot:holds#1 hot:alone#1 hot:lesser"},
           {"the first is away", none, kLong, "hot:holds#1 long-term hot:instead#1 hot:instead",
            "hot:holds#1 hot:lesser#1 hot:lesser"},
           {"neither holds all", kShorter, kShort, "long-term hot:instead#1 hot:instead",
            "hot:alone#1 hot:lesser"},
           {"nobody knows", none, none, "long-term hot:instead hot:instead#1",
            "hot:lesser hot:lesser#1"}}) {
    Knowledge known;
    known.dialect = Dialect::kPrometheus3;
    known.hot = {{0, {each.first, 0}}, {1, {each.second, 0}}};
    EXPECT_EQ(planned(testing::instant("up"), known), each.without) << each.what;
    known.has_long_term = true;
    EXPECT_EQ(planned(testing::instant("up"), known), each.with_long_term) << each.what;
  }
}

TEST(QueryPlan, OfAPairWhoHoldsMoreThanANewColdStoreIsAsked) {
  Knowledge known;
  known.has_long_term = true;
  known.replaced = coverage::ColdReplacement{kNowMs - 90'000};
  known.hot = {{0, {kNowMs - 1'000, 0}}, {1, {kNowMs - 120'000, 0}}};
  EXPECT_EQ(planned(testing::instant("up"), known), "hot:more#1 long-term");
}

TEST(QueryPlan, OperatorsOverSeveralShardsAreToldToChoose) {
  Question question = testing::instant("up");
  question.caller.customer.reset();
  EXPECT_EQ(planned(question, {}),
            "several hot stores and no prometheus-query: choose a customer by X-Vigia-Customer");
}

// 2.x counts a native histogram as one sample, so that nothing bounds many steps of unknown ones.
TEST(QueryPlan, AnOldHotStoreGetsNoLongQueriesThatMayBeHeavy) {
  const auto steps = static_cast<std::int64_t>(kStepsAtOldHotMax);
  for (const auto dialect : {Dialect::kPrometheus2, Dialect::kPrometheus3}) {
    for (const auto weight : {Weight::kLight, Weight::kUnknown, Weight::kHeavy}) {
      for (const std::int64_t count : {steps, steps + 1}) {
        for (const bool has_long_term : {false, true}) {
          Knowledge known;
          known.hot = {{0, {0, 0}}};
          known.dialect = dialect;
          known.weight = weight;
          known.has_long_term = has_long_term;
          const bool goes_away = dialect == Dialect::kPrometheus2 && weight != Weight::kLight &&
                                 count > steps && has_long_term;
          const std::string at_hot =
              has_long_term ? "hot:holds long-term hot:instead" : "hot:alone";
          EXPECT_EQ(planned(testing::range_of("up", count), known),
                    goes_away ? "long-term hot:instead" : at_hot)
              << count << " steps, weight " << static_cast<int>(weight);
        }
      }
    }
  }
}

// Such a query must not come to hot by the door of a cold store that is new, either.
TEST(QueryPlan, NorWhereTheColdStoreIsNew) {
  Knowledge known;
  known.hot = {{0, {kNowMs - 1'000, 0}}};
  known.weight = Weight::kHeavy;
  known.has_long_term = true;
  known.replaced = coverage::ColdReplacement{};
  EXPECT_EQ(planned(testing::range_of("up", 1'000), known), "long-term hot:instead");
}

}  // namespace
}  // namespace vigia::router::plan
