#include <gtest/gtest.h>

#include "services/monitor/live/down_time.hpp"
#include "services/monitor/live/node_metrics.hpp"
#include "services/monitor/live/own_outages.hpp"

namespace vigia::monitor::live {
namespace {

constexpr std::int64_t kNow = 1'795'575'845'000;

TEST(NodeMetrics, GridsAreAlignedAndHolesAreNull) {
  const auto grid = grid_of("1h", kNow + 7'000);
  ASSERT_TRUE(grid.has_value());
  EXPECT_EQ(grid->step_s, 15);
  EXPECT_EQ(grid->end_s % 15, 0);
  EXPECT_EQ(grid->end_s - grid->start_s, 3600);
  EXPECT_EQ(grid_of("5m", kNow), std::nullopt);
  const TimeGrid small{100, 130, 10};
  const auto values = on_grid(small, {MatrixSeries{{}, {{100, 1.5}, {120, 2.5}, {140, 9}}}});
  ASSERT_EQ(values.size(), 4U);
  EXPECT_EQ(values[0], 1.5);
  EXPECT_EQ(values[1], std::nullopt);
  EXPECT_EQ(values[2], 2.5);
  EXPECT_EQ(values[3], std::nullopt);
}

MatrixSeries part(const std::string& name, std::vector<std::pair<double, double>> points) {
  return MatrixSeries{Labels::from({{"part", name}}), std::move(points)};
}

// C-A1: of a month's curve, one sample in two hours was looked at; "max 41 %" where it had been
// full.
TEST(NodeCurves, TheSummaryIsOfAllSamplesNotOfPickedOnes) {
  const TimeGrid grid{0, 1800, 1800};
  const auto curves = read_curves(
      grid, {part("cpu_average", {{0, 10}, {1800, 40}}), part("cpu_minimum", {{0, 2}, {1800, 30}}),
             part("cpu_maximum", {{0, 99.8}, {1800, 50}}), part("samples", {{0, 90}, {1800, 10}})});
  const auto summary = summary_of(curves.cpu, curves.samples);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->minimum, 2);
  EXPECT_EQ(summary->maximum, 99.8);
  EXPECT_DOUBLE_EQ(summary->average, 13);  // each sample once
  EXPECT_EQ(summary_of(curves.memory, curves.samples), std::nullopt);
}

TEST(NodeCurves, WhatLiesAfterTheLastStepIsAStepOfItsOwn) {
  const TimeGrid grid{0, 7200, 7200};
  auto curves = read_curves(grid, {});
  curves.append(7500, {{"cpu_average", 5}, {"cpu_maximum", 80}, {"samples", 20}});
  EXPECT_EQ(curves.times, (std::vector<std::int64_t>{0, 7200, 7500}));
  EXPECT_EQ(curves.cpu.average[2], 5);
  EXPECT_EQ(curves.memory.average[2], std::nullopt);
  const auto summary = summary_of(curves.cpu, curves.samples);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->maximum, 80);
}

TEST(NodeCurves, OneQuestionAsksForEverySampleOfAStep) {
  const auto query =
      curve_query(*CustomerId::parse("cliente-a"), *NodeId::parse("prod-web-01"), 7'200'000);
  for (const std::string text :
       {"max(max_over_time(system_cpu_usage{customer_id=\"cliente-a\",node_id=\"prod-web-01\"}"
        "[7200000ms]))",
        "min(min_over_time(system_memory_usage_percent", "avg(avg_over_time(system_cpu_usage",
        "max(count_over_time(system_cpu_usage"}) {
    EXPECT_NE(query.find(text), std::string::npos) << query;
  }
  // An aligned sample belongs to one fine step.
  const auto fine =
      curve_query(*CustomerId::parse("cliente-a"), *NodeId::parse("prod-web-01"), 15'000);
  EXPECT_NE(fine.find("[14999ms]"), std::string::npos);
}

/// Steps of the same length: samples and `up` of each; -1 where nobody asked.
std::vector<std::optional<double>> shares(std::int64_t seconds,
                                          const std::vector<std::pair<double, double>>& facts) {
  std::vector<StepFacts> steps;
  for (const auto& [samples, up] : facts) {
    steps.push_back({seconds, samples, up < 0 ? std::nullopt : std::optional(up)});
  }
  std::vector<std::optional<double>> down;
  for (const auto& one : judge_steps(steps)) down.push_back(one.down);
  return down;
}

using Shares = std::vector<std::optional<double>>;

// C-A2: the hole of a dead node was drawn as a level line.
TEST(DownTime, AHoleInWhichTheNodeDidNotAnswerWasDownFromItsFirstMissingSample) {
  EXPECT_EQ(shares(15, {{1, 1}, {1, 1}, {0, 1}, {0, 1}, {0, 0}, {0, 0}, {0, 0}, {1, 0}, {1, 1}}),
            (Shares{0, 0, 1, 1, 1, 1, 1, 0, 0}));
}

TEST(DownTime, AHoleOfANodeThatAnsweredOrThatNobodyAskedIsNotKnown) {
  for (const double up : {1.0, -1.0}) {
    EXPECT_EQ(shares(15, {{1, 1}, {1, 1}, {0, up}, {0, up}, {0, up}, {1, 1}, {1, 1}}),
              (Shares{0, 0, std::nullopt, std::nullopt, std::nullopt, 0, 0}));
  }
}

// While our collector was away the node could not be seen; then its buffer arrived.
TEST(DownTime, SamplesThatCameLateAreNoDownTime) {
  EXPECT_EQ(shares(15, {{1, 1}, {1, 0}, {1, 0}, {1, 0}, {1, 1}}), (Shares{0, 0, 0, 0, 0}));
  EXPECT_EQ(shares(300, {{20, 1}, {20, 0.2}, {20, 1}}), (Shares{0, 0, 0}));
}

TEST(DownTime, SamplesFurtherApartThanTheStepsLeaveNoHole) {
  EXPECT_EQ(shares(15, {{1, 1}, {0, 1}, {0, 1}, {0, 1}, {1, 1}, {0, 1}, {0, 1}, {0, 1}, {1, 1}}),
            (Shares{0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(shares(15, {{1, 1}, {0, 1}, {1, 1}, {1, 1}, {1, 1}}), (Shares{0, 0, 0, 0, 0}));
}

TEST(DownTime, ThePartOfALongStepIsToldByWhatIsMissingInIt) {
  const auto long_steps = shares(300, {{20, 1}, {16, 0.8}, {0, 0}, {4, 0.2}, {20, 1}});
  ASSERT_EQ(long_steps.size(), 5U);
  EXPECT_EQ(long_steps[0], 0.0);
  EXPECT_NEAR(*long_steps[1], 0.2, 1e-9);
  EXPECT_EQ(long_steps[2], 1.0);
  EXPECT_NEAR(*long_steps[3], 0.8, 1e-9);
  EXPECT_EQ(long_steps[4], 0.0);
}

// Seen: a node added at 21:18, never down, was "down for 1 min within 21:00-21:30".
TEST(DownTime, TheStepInWhichANodeBeganIsNoDownTime) {
  EXPECT_EQ(shares(1800, {{0, -1}, {48, 0.9}, {120, 1}, {120, 1}}),
            (Shares{std::nullopt, 0, 0, 0}));
}

TEST(DownTime, TheNewestSampleMayStillBeUnderWay) {
  EXPECT_EQ(shares(15, {{1, 1}, {1, 1}, {1, 1}, {0, 1}, {0, 1}}), (Shares{0, 0, 0, 0, 0}));
  EXPECT_EQ(shares(15, {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}),
            (Shares{0, 0, 1, 1, 1, 1}));
}

TEST(DownTime, BeforeItsFirstSampleANodeWasNotDownUnlessItWasAskedInVain) {
  EXPECT_EQ(shares(15, {{0, -1}, {0, -1}, {0, -1}, {1, 1}}),
            (Shares{std::nullopt, std::nullopt, std::nullopt, 0}));
  EXPECT_EQ(shares(15, {{0, 0}, {0, 0}, {0, 0}, {1, 1}}), (Shares{1, 1, 1, 0}));
}

/// The same with our own outages: samples, `up`, and how much of the step we were away.
struct Told {
  double samples;
  double up;
  double outage;
};
std::pair<Shares, std::vector<double>> judged(std::int64_t seconds, const std::vector<Told>& told) {
  // What came before tells how far apart samples are.
  constexpr std::size_t kBefore = 6;
  std::vector<StepFacts> steps(kBefore, {seconds, told[0].samples, 1, 0});
  for (const auto& one : told) {
    const auto up = one.up < 0 ? std::nullopt : std::optional(one.up);
    steps.push_back({seconds, one.samples, up, one.outage});
  }
  std::pair<Shares, std::vector<double>> found;
  const auto judgements = judge_steps(steps);
  for (std::size_t i = kBefore; i < judgements.size(); ++i) {
    found.first.push_back(judgements[i].down);
    found.second.push_back(judgements[i].outage);
  }
  return found;
}

// Our collector stopped: the node, which pushes, did not "answer", and its hole was drawn as its
// own.
TEST(OwnOutage, AHoleInOurOutageIsOursAndWhatTheNodeMissedBeforeStaysItsOwn) {
  const auto [down, ours] = judged(15, {{1, 1, 0},
                                        {0, 0, 0},
                                        {0, 0, 0},
                                        {0, 0, 0},
                                        {1, 1, 0},
                                        {0, 1, 1},
                                        {0, 0, 1},
                                        {0, 0, 1},
                                        {1, 1, 0}});
  EXPECT_EQ(down, (Shares{0, 1, 1, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ours, (std::vector<double>{0, 0, 0, 0, 0, 1, 1, 1, 0}));
}

TEST(OwnOutage, WhatANodeMissesAfterOurOutageIsItsOwn) {
  const auto [down, ours] =
      judged(15, {{1, 1, 0}, {0, 0, 1}, {0, 0, 1}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {1, 1, 0}});
  EXPECT_EQ(down, (Shares{0, 0, 0, 1, 1, 1, 0}));
  EXPECT_EQ(ours, (std::vector<double>{0, 1, 1, 0, 0, 0, 0}));
}

TEST(OwnOutage, ThatItDidNotAnswerMeanwhileSaysNothingOfTheRestOfTheHole) {
  const auto [down, ours] =
      judged(15, {{1, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 1}, {1, 1, 0}});
  EXPECT_EQ(down, (Shares{0, std::nullopt, std::nullopt, 0, 0, 0}));
  EXPECT_EQ(ours, (std::vector<double>{0, 0, 0, 1, 1, 0}));
}

TEST(OwnOutage, WhatWasDeliveredAfterItIsNotMissing) {
  const auto [down, ours] = judged(15, {{1, 1, 0}, {1, 0, 1}, {1, 0, 1}, {1, 1, 0}});
  EXPECT_EQ(down, (Shares{0, 0, 0, 0}));
  EXPECT_EQ(ours, (std::vector<double>{0, 0, 0, 0}));
}

TEST(OwnOutage, OfALongStepEachHasItsPart) {
  const auto [down, ours] =
      judged(300, {{20, 1, 0}, {0, 0, 1}, {0, 0.2, 0.4}, {10, 0.5, 0.5}, {10, 0.5, 0}, {20, 1, 0}});
  EXPECT_EQ(ours, (std::vector<double>{0, 1, 0.4, 0.5, 0, 0}));
  EXPECT_EQ(down[1], 0.0);
  EXPECT_NEAR(*down[2], 0.4, 1e-9);
  EXPECT_EQ(down[3], 0.0);
  EXPECT_EQ(down[4], 0.5);
}

TEST(OwnOutages, AreReadFromWhatTheRulesRecorded) {
  const TimeGrid grid{1000, 1150, 15};
  // The hot store began at 1015, evaluated nothing at 1090 and 1105, and is there again.
  const auto record = read_record(
      grid,
      {part("recorded",
            {{1015, 0}, {1030, 1}, {1045, 1}, {1060, 0}, {1075, 0}, {1120, 0}, {1135, 0}}),
       part("shut", {{1135, 1}}), part("unseen", {{1150, 1}}), part("up", {{1015, 1}, {1030, 0}})});
  EXPECT_EQ(record.outages, (std::vector<TimeRange>{{1015, 1045}, {1075, 1105}, {1120, 1150}}));
  EXPECT_EQ(record.up_share(1000, 1030), 0.5);
  EXPECT_EQ(record.up_share(1030, 1150), std::nullopt);
}

TEST(OwnOutages, AreCountedWithWhatTheyAreKnownBy) {
  const std::vector<TimeRange> outages{{100, 200}, {230, 260}};
  EXPECT_EQ(outage_share(outages, 0, 50, 0), 0);
  EXPECT_EQ(outage_share(outages, 150, 250, 0), 0.7);
  EXPECT_EQ(outage_share(outages, 150, 250, 20), 1);
  EXPECT_EQ(outage_share(outages, 80, 100, 20), 1);
  EXPECT_EQ(outage_share({}, 0, 0, 0), 0);
}

TEST(OwnOutages, TheGridIsFineAndDividesTheSteps) {
  for (const auto* range : {"15m", "1h", "6h", "24h", "7d", "30d", "90d", "1y", "2y"}) {
    const auto curve = grid_of(range, kNow);
    ASSERT_TRUE(curve.has_value());
    const auto grid = record_grid(*curve, kNow / 1000);
    EXPECT_EQ(curve->step_s % grid.step_s, 0) << range;
    EXPECT_LE((grid.end_s - grid.start_s) / grid.step_s, 2'200) << range;
    EXPECT_GE(grid.end_s, curve->end_s) << range;
  }
  const auto day = record_grid(*grid_of("24h", kNow), kNow / 1000);
  EXPECT_EQ(day.step_s, 60);
}

TEST(OwnOutages, TheQuestionsAreOfOneNodeAndOfOurOwnRecords) {
  const auto of_node = node_record_query(*CustomerId::parse("cliente-a"),
                                         *NodeId::parse("prod-web-01"), {0, 900, 15});
  for (const std::string text :
       {"max(last_over_time(up{job=\"customer-agents\",waiting=\"\",customer_id=\"cliente-a\","
        "node_id=\"prod-web-01\"}[60s]))",
        "max_over_time(vigia_memory_shut_out{job=\"otel-collector\",customer_id=\"cliente-a\"}"
        "[30s])"}) {
    EXPECT_NE(of_node.find(text), std::string::npos) << of_node;
  }
  const auto ours = own_record_query({0, 900, 15}, std::chrono::seconds(30));
  for (const std::string text : {"last_over_time(vigia:own_part_away{customer_id=\"\"}[90s])",
                                 "last_over_time(vigia:asking_part_away{customer_id=\"\"}[90s])"}) {
    EXPECT_NE(ours.find(text), std::string::npos) << ours;
  }
  const auto coarse = own_record_query({0, 86'400, 360}, std::chrono::seconds(30));
  EXPECT_NE(coarse.find("max_over_time(vigia:own_part_away{customer_id=\"\"}[360s])"),
            std::string::npos);
}

}  // namespace
}  // namespace vigia::monitor::live
