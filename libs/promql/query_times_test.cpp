#include "libs/promql/query_times.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::promql {
namespace {

using namespace std::chrono_literals;

/// Over an hour from 10:00, by 30 s.
std::string folded(std::string_view text, Duration step = 30s,
                   const Evaluation& times = {36'000'000, 39'600'000}) {
  auto expr = parse(text, Dialect::kPrometheus3);
  if (!expr) return expr.error().message;
  const auto done = fold_query_times(**expr, times, step);
  return done ? print(**expr) : done.error().message;
}

TEST(QueryTimes, LengthsAreComputed) {
  EXPECT_EQ(folded("rate(x[4 * step()] offset -(range() / 2))"), "rate(x[2m] offset -30m)");
  EXPECT_EQ(folded("x[1h - 5m * 2:step()] offset max_of(5m, range())"), "x[50m:30s] offset 1h");
  EXPECT_EQ(folded("x[min_of(1d, 2 ^ 3 ^ 2)]"), "x[8m32s]");
  EXPECT_EQ(folded("x[-7 % 4 + 10]"), "x[7s]");
  EXPECT_EQ(folded("x[1 / 3]"), "x[333ms]") << "towards 0";
  EXPECT_EQ(folded("sum(abs(-(x offset (1m)))) + max_over_time(y[5m:(1m)])"),
            "sum(abs(-(x offset 1m))) + max_over_time(y[5m:1m])");
}

TEST(QueryTimes, FunctionsOfThemAreNumbers) {
  EXPECT_EQ(folded("x + start() - end() * range() / step()"), "x + 36000 - 39600 * 3600 / 30");
  EXPECT_EQ(folded("start() ^ 2", 30s, {-1'500, 1'000}), "(-1.5) ^ 2");
  EXPECT_EQ(folded("topk(step(), x) > scalar(x[range():step()])").substr(0, 2), "1:");
  EXPECT_EQ(folded("step()", 30s, {5, 5}), "0") << "as Prometheus has it of one time";
}

TEST(QueryTimes, WhatComesToNothingIsRefused) {
  EXPECT_EQ(folded("x[step()]", 0s), "2:8: duration must be greater than 0");
  EXPECT_EQ(folded("x[5m - 1h]"), "2:9: duration must be greater than 0");
  EXPECT_EQ(folded("x[5m / (1 - 1)]"), "2:14: division by zero");
  EXPECT_EQ(folded("x[5m % (1 - 1)]"), "2:14: modulo by zero");
  EXPECT_EQ(folded("x[10 ^ 400 - 10 ^ 400]"), "2:21: duration is NaN or infinite");
  EXPECT_EQ(folded("x[10 ^ 20]"), "2:9: duration is out of range");
  EXPECT_EQ(folded("x offset (5m - 5m)"), "x offset 0s");
}

TEST(QueryTimes, WithoutAnyATreeStaysAsItIs) {
  EXPECT_EQ(folded("rate(x[5m] offset 1h) + time()"), "rate(x[5m] offset 1h) + time()");
}

}  // namespace
}  // namespace vigia::promql
