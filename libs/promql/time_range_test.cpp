#include "libs/promql/time_range.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"

namespace vigia::promql {
namespace {

constexpr TimestampMs kMinute = 60'000;

std::vector<TimeRange> ranges(std::string_view text, TimestampMs start = 600 * kMinute,
                              TimestampMs end = 660 * kMinute) {
  const auto expr = parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  return selector_ranges(**expr, Evaluation{start, end});
}

std::vector<TimeRange> minutes(std::vector<TimeRange> wanted) {
  for (TimeRange& range : wanted) {
    range.from_ms *= kMinute;
    range.to_ms *= kMinute;
  }
  return wanted;
}

TEST(SelectorRanges, InstantSelectorsLookBack) {
  EXPECT_EQ(ranges("up"), minutes({{595, 660}}));
  EXPECT_EQ(ranges("up offset 1h"), minutes({{535, 600}}));
  EXPECT_EQ(ranges("up offset -1h"), minutes({{655, 720}}));
}

TEST(SelectorRanges, RangesReplaceTheLookback) {
  EXPECT_EQ(ranges("rate(x[2h])"), minutes({{480, 660}}));
  EXPECT_EQ(ranges("rate(x[1m] offset 9m)"), minutes({{590, 651}}));
}

TEST(SelectorRanges, WhatIsExtendedReadsALookbackMore) {
  EXPECT_EQ(ranges("rate(x[2h] anchored)"), minutes({{475, 660}}));
  EXPECT_EQ(ranges("rate(x[2h] smoothed offset 10m)"), minutes({{465, 655}}));
  EXPECT_EQ(ranges("x smoothed"), minutes({{590, 665}}));
}

TEST(SelectorRanges, AComputedLengthMayBeAnyUntilItIsComputed) {
  const auto far = ranges("rate(x[step()])").front();
  EXPECT_LT(far.from_ms, -1'000'000 * kMinute);
  const auto moved = ranges("x offset (5m * 2)").front();
  EXPECT_LT(moved.from_ms, -1'000'000 * kMinute);
  EXPECT_GT(moved.to_ms, 1'000'000 * kMinute);
}

TEST(SelectorRanges, InfoReadsAtTheTimesOfWhatItIsAddedTo) {
  EXPECT_EQ(ranges("info(x, {a=\"b\"})"), minutes({{595, 660}, {590, 660}}));
  EXPECT_EQ(ranges("info(rate(x[1h] offset 1h), {a=\"b\"})"), minutes({{480, 600}, {475, 660}}));
}

TEST(SelectorRanges, AtStandsStill) {
  EXPECT_EQ(ranges("up @ 6000"), minutes({{95, 100}}));
  EXPECT_EQ(ranges("up @ start()"), minutes({{595, 600}}));
  EXPECT_EQ(ranges("up @ end() offset 10m"), minutes({{645, 650}}));
}

TEST(SelectorRanges, SubqueriesAddUp) {
  EXPECT_EQ(ranges("max_over_time(rate(x[5m])[1h:1m])"), minutes({{535, 660}}));
  EXPECT_EQ(ranges("max_over_time(rate(x[5m] offset 1m)[1h:1m] offset 1d)"),
            minutes({{535 - 1441, 660 - 1441}}));
  EXPECT_EQ(ranges("max_over_time(x[1h:] @ 6000)"), minutes({{35, 100}}));
  EXPECT_EQ(ranges("max_over_time(x[1h:] @ start())"), minutes({{535, 600}}));
  EXPECT_EQ(ranges("max_over_time((x @ end())[1h:])"), minutes({{655, 660}}));
}

TEST(SelectorRanges, OnePerSelectorInOrder) {
  EXPECT_EQ(ranges("a + topk(scalar(b offset 1h), rate(c[1h]))"),
            minutes({{595, 660}, {535, 600}, {540, 660}}));
  EXPECT_TRUE(ranges("vector(1) + time()").empty());
}

TEST(SelectorRanges, FarTimesDoNotOverflow) {
  EXPECT_EQ(ranges("up @ 9e15 offset 100y").size(), 1U);
  EXPECT_EQ(ranges("max_over_time(x[290y:1d] @ -9e15 offset 290y)").size(), 1U);
}

}  // namespace
}  // namespace vigia::promql
