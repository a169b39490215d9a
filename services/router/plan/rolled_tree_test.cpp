#include "services/router/plan/rolled_tree.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "libs/promql/copy.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::router::plan {
namespace {

using promql::Dialect;

constexpr TimestampMs kHourMs = 3'600'000;
/// A day of hours.
const RolledTimes kHourly{{24 * kHourMs, 48 * kHourMs}, std::chrono::hours(1)};
const RolledTimes kOnce{{24 * kHourMs, 24 * kHourMs}, Duration{0}};
const std::string kRaw = "raw";

std::string rolled(const std::string& text, const RolledTimes& times = kHourly,
                   Resolution resolution = Resolution::kHour,
                   Dialect dialect = Dialect::kPrometheus3) {
  const auto expr = promql::parse(text, dialect);
  EXPECT_TRUE(expr.has_value()) << text;
  if (!expr) return "";
  promql::Expr tree = promql::copy_of(**expr);
  if (!read_rolled(tree, times, dialect, resolution)) return kRaw;
  const std::string printed = promql::print(tree);
  const auto again = promql::parse(printed, dialect);
  EXPECT_TRUE(again.has_value()) << printed;
  EXPECT_EQ(again ? promql::print(**again) : "", printed);
  return printed;
}

struct Case {
  std::string asked;
  std::string read;
};

TEST(RolledTree, EachFunctionOfARangeHasItsPart) {
  for (const Case& each : std::initializer_list<Case>{
           {"max_over_time(x[1h])", R"(max_over_time(x{__rollup__="1h:max"}[1h]))"},
           {"min_over_time(x[2h])", R"(min_over_time(x{__rollup__="1h:min"}[2h]))"},
           {"last_over_time(x[1d])", R"(last_over_time(x{__rollup__="1h:last"}[1d]))"},
           {"sum_over_time(x[1h])", R"(sum_over_time(x{__rollup__="1h:sum"}[1h]))"},
           {"count_over_time(x[1h])", R"(sum_over_time(x{__rollup__="1h:count"}[1h]))"},
           {"present_over_time(x[1h])", R"(present_over_time(x{__rollup__="1h:count"}[1h]))"},
           {"2 ^ avg_over_time(x{a=\"b\"}[1h])",
            R"(2 ^ (sum_over_time(x{a="b",__rollup__="1h:sum"}[1h]) / )"
            R"(sum_over_time(x{a="b",__rollup__="1h:count"}[1h])))"},
           {"max_over_time((x[1h] offset 3h))",
            R"(max_over_time(x{__rollup__="1h:max"}[1h] offset 3h))"},
           {"sum by (a) (-max_over_time({a=~\".+\"}[1h] @ end()))",
            R"(sum by (a) (-max_over_time({a=~".+",__rollup__="1h:max"}[1h] @ end())))"},
           {"topk(scalar(min_over_time(y[1h])), max_over_time(x[1h]))",
            R"(topk(scalar(min_over_time(y{__rollup__="1h:min"}[1h])), )"
            R"(max_over_time(x{__rollup__="1h:max"}[1h])))"}}) {
    EXPECT_EQ(rolled(each.asked), each.read);
    EXPECT_EQ(rolled(each.asked, kHourly, Resolution::kHour, Dialect::kPrometheus2), each.read);
  }
}

TEST(RolledTree, WhatLooksBeyondItsSamplesHasNone) {
  for (const std::string text :
       {"max_over_time(x[1h] anchored)", "increase(x[1h] smoothed)", "x smoothed",
        "info(max_over_time(x[1h]), {a=\"b\"})", "start_timestamp(x)", "first_over_time(x[1h])",
        "ts_of_first_over_time(x[1h])", "max_over_time(x[1h]) </ 5"}) {
    EXPECT_EQ(rolled(text), kRaw) << text;
  }
  EXPECT_EQ(rolled("max_over_time(x[1h]) + fill (0) min_over_time(y[1h])"),
            R"(max_over_time(x{__rollup__="1h:max"}[1h]) + fill (0) )"
            R"(min_over_time(y{__rollup__="1h:min"}[1h]))");
}

TEST(RolledTree, ChangesAreReadOfRangesOfOneWindow) {
  for (const std::string function : {"rate", "increase", "delta"}) {
    EXPECT_EQ(rolled(function + "(x[1h] offset 2h)"),
              "sum_over_time(x{__rollup__=\"1h:" + function + "\"}[1h] offset 2h)");
    EXPECT_EQ(rolled(function + "(x[2h])"), kRaw);
    EXPECT_EQ(rolled(function + "(x[1h])", kHourly, Resolution::kFiveMinutes), kRaw);
  }
}

TEST(RolledTree, OtherFunctionsHaveNone) {
  for (const std::string function :
       {"irate", "idelta", "changes", "resets", "deriv", "stddev_over_time", "stdvar_over_time",
        "absent_over_time", "mad_over_time", "ts_of_max_over_time"}) {
    EXPECT_EQ(rolled(function + "(x[1h])"), kRaw) << function;
  }
  EXPECT_EQ(rolled("quantile_over_time(0.5, x[1h])"), kRaw);
  EXPECT_EQ(rolled("predict_linear(x[1h], 60)"), kRaw);
  EXPECT_EQ(rolled("absent(x)"), kRaw);
  EXPECT_EQ(rolled("timestamp(x)"), kRaw);
  EXPECT_EQ(rolled("timestamp((x))"), kRaw);
}

TEST(RolledTree, OneSelectorWithoutAFormKeepsAllRaw) {
  EXPECT_EQ(rolled("max_over_time(x[1h]) / irate(y[1h])"), kRaw);
  EXPECT_EQ(rolled("max_over_time(x[1h]) or max_over_time(y[90m])"), kRaw);
  EXPECT_EQ(rolled("topk(scalar(irate(y[1h])), max_over_time(x[1h]))"), kRaw);
}

TEST(RolledTree, RangesOffsetsAndTimesAreWholeWindows) {
  for (const std::string asked :
       {"max_over_time(x[30m])", "max_over_time(x[90m])", "max_over_time(x[1h1ms])",
        "max_over_time(x[1h] offset 30m)", "max_over_time(x[1h] offset -1m)",
        "max_over_time(x[1h] @ 1800)", "max_over_time(x[1h] @ 3600.001)", "max_over_time(x[1h:1h])",
        "max_over_time(max_over_time(x[1h])[1d:1h])", "max_over_time(x[1h] @ 9000000000000)",
        "max_over_time(x[1h] offset 200y)"}) {
    EXPECT_EQ(rolled(asked), kRaw) << asked;
  }
  EXPECT_NE(rolled("max_over_time(x[1h] @ 7200)"), kRaw);
  EXPECT_NE(rolled("max_over_time(x[1h] @ -7200)"), kRaw);
  EXPECT_NE(rolled("max_over_time(x[1h] offset -1h)"), kRaw);
  EXPECT_NE(rolled("max_over_time(x[1h])", kOnce), kRaw);

  RolledTimes times = kHourly;
  times.evaluation.end_ms += 1;  // no time of evaluation
  EXPECT_NE(rolled("max_over_time(x[1h])", times), kRaw);
  EXPECT_EQ(rolled("max_over_time(x[1h] @ end())", times), kRaw);
  times.evaluation.start_ms += 1;
  EXPECT_EQ(rolled("max_over_time(x[1h])", times), kRaw);
  times = kHourly;
  times.step = std::chrono::minutes(90);
  EXPECT_EQ(rolled("max_over_time(x[1h])", times), kRaw);
  EXPECT_NE(rolled("max_over_time(x[1h])", times, Resolution::kFiveMinutes), kRaw);
}

TEST(RolledTree, ASelectorIsTheNewestSampleOfTheWindowThatEndsThen) {
  const auto with = [](const std::string& shift, const std::string& since) {
    return R"((x{__rollup__="1h:last"})" + shift + R"( unless x{__rollup__="1h:stale_time"})" +
           shift + R"( and x{__rollup__="1h:last_time"})" + shift + " > " + since + ")";
  };
  EXPECT_EQ(rolled("x"), with("", "time() - 300"));
  EXPECT_EQ(rolled("sum(abs(x))"), "sum(abs(" + with("", "time() - 300") + "))");
  EXPECT_EQ(rolled("x offset 1h"), with(" offset 1h", "time() - 3900"));
  EXPECT_EQ(rolled("x offset -1h"), with(" offset -1h", "time() + 3300"));
  EXPECT_EQ(rolled("x @ 7200"), with(" @ 7200.000", "6900"));
  EXPECT_EQ(rolled("x @ start() offset 1h"), with(" @ start() offset 1h", "82500"));
  EXPECT_EQ(rolled("x @ end()"), with(" @ end()", "172500"));

  EXPECT_EQ(rolled("x @ 0"), kRaw) << "a time before 1970 would need a sign";
  EXPECT_EQ(rolled("{a=\"b\"}"), kRaw) << "names are passed over by and, unless";
  EXPECT_EQ(rolled(R"({__name__=~"x|y"})"), kRaw);
  EXPECT_NE(rolled(R"({__name__="x"})"), kRaw);
  EXPECT_EQ(rolled("x", kOnce), kRaw) << "one sample is as quick";
  EXPECT_EQ(rolled("x[1h]", kOnce), kRaw);
  EXPECT_EQ(rolled("x", kHourly, Resolution::kDay), kRaw);

  RolledTimes times = kHourly;
  times.evaluation.lookback = std::chrono::hours(1);
  EXPECT_NE(rolled("x", times), kRaw);
  times.evaluation.lookback += std::chrono::seconds(1);
  EXPECT_EQ(rolled("x", times), kRaw) << "two windows would lie in it";
  times.evaluation.lookback = std::chrono::milliseconds(1'500);
  EXPECT_EQ(rolled("x", times), kRaw);
}

std::string nearly(const std::string& text) {
  const auto expr = promql::parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  if (!expr) return "";
  promql::Expr tree = promql::copy_of(**expr);
  const RolledTimes odd{{24 * kHourMs + 7, 48 * kHourMs + 7}, std::chrono::seconds(61)};
  if (!read_nearly(tree, odd, Dialect::kPrometheus3, Resolution::kHour)) return kRaw;
  return promql::print(tree);
}

TEST(RolledTree, WhereTheSamplesAreGoneWindowsThatHoldAboutThatAreRead) {
  for (const Case& each : std::initializer_list<Case>{
           {"max_over_time(x[90m] offset 7s)",
            R"(max_over_time(x{__rollup__="1h:max"}[2h] offset 7s))"},
           {"min_over_time(x[5m])", R"(min_over_time(x{__rollup__="1h:min"}[1h]))"},
           {"rate(x[5m])", R"(sum_over_time(x{__rollup__="1h:rate"}[1h]))"},
           {"rate(x[61m])", R"(avg_over_time(x{__rollup__="1h:rate"}[2h]))"},
           {"increase(x[1d])", R"(sum_over_time(x{__rollup__="1h:increase"}[1d]))"},
           {"avg_over_time(x[1m])", R"((sum_over_time(x{__rollup__="1h:sum"}[1h]) / )"
                                    R"(sum_over_time(x{__rollup__="1h:count"}[1h])))"},
           {"x", R"((last_over_time(x{__rollup__="1h:last"}[1h]) unless )"
                 R"(last_over_time(x{__rollup__="1h:stale_time"}[1h])))"},
           {R"({a="b"} @ 7)", R"((last_over_time({a="b",__rollup__="1h:last"}[1h] @ 7.000)))"},
           {"max_over_time(rate(x[5m])[1d:10m])",
            R"(max_over_time(sum_over_time(x{__rollup__="1h:rate"}[1h])[1d:10m]))"},
           {"quantile_over_time(0.5, x[1h])", kRaw},
           {"x - irate(y[1h])", kRaw},
           {"max_over_time(timestamp(x)[1d:10m])", kRaw}}) {
    EXPECT_EQ(nearly(each.asked), each.read) << each.asked;
  }
}

}  // namespace
}  // namespace vigia::router::plan
