#include "libs/promql/cost.hpp"

#include <gtest/gtest.h>

#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"

namespace vigia::promql {
namespace {

using namespace std::chrono_literals;

std::uint64_t evaluations(const char* text, Duration outer = 0s) {
  const auto expr = parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  return expr ? subquery_evaluations(**expr, outer) : 0;
}

TEST(Cost, CountsEverySubquery) {
  EXPECT_EQ(evaluations("up + rate(x[5m])"), 0U);
  EXPECT_EQ(evaluations("max_over_time(rate(x[5m])[1h:1m])"), 60U);
  EXPECT_EQ(evaluations("max_over_time(up[1h:])"), 240U);
  EXPECT_EQ(evaluations("max_over_time(up[1h:1m]) + sum(min_over_time(up[1h:1m]))"), 120U);
}

TEST(Cost, WhatStandsAroundIsCovered) {
  EXPECT_EQ(evaluations("max_over_time(up[1h:1m])", 1h), 120U);
  EXPECT_EQ(evaluations("max_over_time(min_over_time(up[1m:1s])[1h:1m])"), 60U + 3660U);
}

TEST(Cost, WhatPrometheusCannotStopIsOverTheLimit) {
  EXPECT_GT(evaluations("count_over_time(vector(1)[50y:1ms])"), kSubqueryEvaluationsMax);
  EXPECT_GT(evaluations("count_over_time(count_over_time(vector(1)[1d:1s])[2y:1d])"),
            kSubqueryEvaluationsMax);
  EXPECT_LE(evaluations("max_over_time(rate(x[5m])[2y:1m])"), kSubqueryEvaluationsMax);
}

}  // namespace
}  // namespace vigia::promql
