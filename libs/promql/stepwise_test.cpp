#include "libs/promql/stepwise.hpp"

#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"

namespace vigia::promql {
namespace {

bool is_stepwise(const std::string& text) {
  const auto expr = parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  return expr && is_stepwise(**expr);
}

TEST(Stepwise, WhatOneStepGivesWhateverTheOthersAre) {
  for (const char* text : {"1",
                           "up",
                           "up{a=\"b\"}",
                           "{__name__=\"up\"}",
                           "{\"up\"}",
                           "rate(up[5m])",
                           "up offset 1h",
                           "up offset -1h",
                           "up @ 100",
                           "sum by (a) (rate(up[5m]))",
                           "topk(3, up)",
                           "count_values(\"v\", up)",
                           "max_over_time(rate(up[5m])[1h:1m])",
                           "-up",
                           "up / on (a) down",
                           "up or down",
                           "abs(up or down)",
                           "absent(up)",
                           "absent_over_time(up[5m])",
                           "histogram_quantile(0.9, sum by (le) (rate(up[5m])))",
                           "time()",
                           "first_over_time(up[5m])",
                           "ts_of_max_over_time(up[5m])",
                           "up </ 5",
                           "up > 1 and down"}) {
    EXPECT_TRUE(is_stepwise(text)) << text;
  }
}

TEST(Stepwise, WhatTheEndsOrTheOtherStepsDecide) {
  for (const char* text :
       {"up @ start()", "up @ end()", "rate(up[5m] @ end())", "max_over_time(up[1h:1m] @ start())",
        "sum(up @ end()) + up", "limitk(2, up)", "sum(limit_ratio(0.5, up))",
        "label_replace(up, \"a\", \"b\", \"c\", \"d\")", "sum(label_join(up, \"a\", \"b\", \"c\"))",
        "rate({__name__=~\"up|down\"}[5m])", "{a=\"b\"}", "{__name__!=\"up\",a=\"b\"}",
        "-(up or down)", "rate((up or down)[5m:1m])", "rate(up[5m] anchored)", "up smoothed",
        "up + fill(0) down", "info(up, {a=\"b\"})", "histogram_quantiles(up, \"q\", 0.5)"}) {
    EXPECT_FALSE(is_stepwise(text)) << text;
  }
}

}  // namespace
}  // namespace vigia::promql
