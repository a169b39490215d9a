#include "libs/promql/result_memory.hpp"

#include <gtest/gtest.h>

#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"

namespace vigia::promql {
namespace {

using namespace std::chrono_literals;

struct Case {
  std::string text;
  std::uint64_t steps = 1;
  std::uint64_t series = 1;
  bool is_too_much = false;
  Dialect dialect = Dialect::kPrometheus3;
  std::uint64_t alike = 1;
};

std::uint64_t bytes_of(const Case& each) {
  const auto expr = parse(each.text, each.dialect);
  EXPECT_TRUE(expr.has_value()) << each.text;
  if (!expr) return 0;
  const EvaluationShape shape{each.dialect, each.steps,
                              15s * static_cast<Duration::rep>(each.steps - 1)};
  return result_bytes(**expr, shape, AssumedSeries(each.series, each.alike));
}

void check(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    const std::uint64_t bytes = bytes_of(each);
    EXPECT_EQ(bytes > kResultBytesMax, each.is_too_much)
        << each.text << ", " << each.steps << " steps, " << each.series << " series: " << bytes;
  }
}

std::string terms(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += (i > 0 ? " or " : "") + std::string("label_replace(vector(time()+") + n + "),\"x\",\"" +
            n + "\",\"\",\"\")";
  }
  return text;
}

TEST(ResultMemory, EverySeriesHasRoomForItsSteps) {
  EXPECT_EQ(bytes_of({"x + 0", 100, 10}), (2 * 10 + 1) * (100 * 16 + 256));
  EXPECT_EQ(bytes_of({"x + 0", 10'000, 10}), (2 * 10 + 1) * (5'000 * 16 + 256));
  EXPECT_EQ(bytes_of({"x + 0", 10'000, 10, false, Dialect::kPrometheus2}),
            (2 * 10 + 1) * (10'000 * 24 + 256));
}

TEST(ResultMemory, WhatHoldsNoMoreIsNotCountedTwice) {
  // Three levels over each other, of which two are there at a time.
  EXPECT_EQ(bytes_of({"abs(abs(abs(x)))", 100, 10}), bytes_of({"abs(x)", 100, 10}));
  // The first side is there while the second is made.
  EXPECT_EQ(bytes_of({"x * (x * x)", 100, 10}), 4 * 10 * (100 * 16 + 256));
}

TEST(ResultMemory, CountValuesMakesASeriesAtEveryStep) {
  const std::string text = R"(count_values by (n) ("v", x * 0 + time()))";
  check({
      {text, 1, 50'000},
      {text, 100, 100},
      {text, 250, 200},
      {text, 100, 1'000},
      {text, 1'000, 400, true},
      {text, 2'000, 1'000, true},
      {"count_values(\"v\", " + terms(100) + ")", 10'900, 0, true},
      {"count_values(\"v\", " + terms(20) + ")", 10'900, 0, true, Dialect::kPrometheus2},
      {"count_values(\"v\", " + terms(20) + ")", 250},
      {R"(count_values("version", build_info))", 250, 50},
      {R"(sum(count_values("v", x)))", 2'000, 1'000, true},
      {R"(count_over_time(count_values("v", vector(time()))[1d:1s]))", 1, 0, true},
      {R"(count_over_time(count_values("v", vector(time()))[1h:1m]))", 1},
  });
}

TEST(ResultMemory, ResultsWithALabelOfTheirPartnerAreAsManyAsPartners) {
  const std::string text = "x * on (node) group_left (name) info";
  check({
      {text, 1'000, 500},
      {text, 10'000, 500, false, Dialect::kPrometheus3, 2},
      {text, 10'000, 60, true, Dialect::kPrometheus3, 9'000},
      {"(" + terms(60) + ") * on () group_left (n) gl", 8'900, 9'000, true,
       Dialect::kPrometheus3, 9'000},
      {"gl * on () group_right (n) (" + terms(60) + ")", 8'900, 9'000, true,
       Dialect::kPrometheus3, 9'000},
      {"x * on (node) group_left () info", 1'000, 500, false, Dialect::kPrometheus3, 500},
  });
}

TEST(ResultMemory, PartnersAreKnownThroughWhatKeepsTheirLabels) {
  const std::string many = "x * on (node) group_left (name) ";
  for (const char* one :
       {"(info > 0)", "max by (node, name) (info)", "sum without (le) (info)", "-(abs(info))",
        "max_over_time(info[5m])", "topk(5, info)", "(info unless vector(1))",
        R"q(label_replace(info, "name", "$1", "host", "(.*)"))q",
        "max_over_time(rate(info[5m])[1h:1m])"}) {
    EXPECT_LE(bytes_of({many + one, 1'000, 1'000}), kResultBytesMax) << one;
  }
  for (const char* one :
       {"max by (name) (info)", "max without (node) (info)", "(info or info)", "(info * info)",
        R"q(label_replace(info, "node", "$1", "host", "(.*)"))q",
        R"(count_values by (node) ("name", info))"}) {
    EXPECT_GT(bytes_of({many + one, 1'000, 1'000}), kResultBytesMax) << one;
  }
}

TEST(ResultMemory, WhatDashboardsAskPasses) {
  for (const char* text :
       {"x", "rate(x[5m])", "sum by (job) (rate(x[5m])) / sum by (job) (rate(y[5m]))",
        "histogram_quantile(0.99, sum by (le, job) (rate(x_bucket[5m])))",
        "topk(10, sum by (pod) (rate(x[5m])))", "x > 0.9 and on (node) y == 1",
        "100 * (1 - avg by (node) (rate(cpu{mode=\"idle\"}[5m])))", "absent(x)",
        "max_over_time(sum(rate(x[5m]))[1d:1m])", R"q(label_replace(x, "a", "$1", "b", "(.*)"))q",
        "predict_linear(x[6h], 3600 * 24)", "x offset 1d", "quantile_over_time(0.9, x[1h])"}) {
    for (const auto dialect : {Dialect::kPrometheus2, Dialect::kPrometheus3}) {
      EXPECT_LE(bytes_of({text, 1'500, 1'000, false, dialect}), kResultBytesMax) << text;
      EXPECT_LE(bytes_of({text, 11'000, 200, false, dialect}), kResultBytesMax) << text;
    }
  }
}

TEST(ResultMemory, SeriesOfFewSamplesHaveRoomForAll) {
  check({
      {"count(sp + 0)", 10'900, 50'000, true},
      {"count(sp)", 10'900, 50'000},  // 3.x gives what a selector reads no more than it needs
      {"count(sp)", 10'900, 50'000, true, Dialect::kPrometheus2},
      {"count(timestamp(sp))", 10'900, 50'000, true},
      {"max by (n) (rate(sp[5m]))", 5'000, 20'000, true},
      {"topk(1, rate(sp[5m]))", 5'000, 20'000, true},
      {"abs(sp) + abs(sp)", 100, 20'000},
  });
}

TEST(ResultMemory, NumbersSaturate) {
  EXPECT_GT(bytes_of({"count_over_time(count_over_time(vector(1)[200y:1ms])[200y:1ms])", 1, 0}), 0U);
  const Case most{R"(count_values("v", count_values("w", x)))", 11'000, UINT64_MAX};
  EXPECT_EQ(bytes_of(most), UINT64_MAX);
}

}  // namespace
}  // namespace vigia::promql
