#include "libs/promql/result_memory.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"

namespace vigia::promql {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLabels = 100;

/// So many series of each selector, of which so many are alike, and so many groups of any labels.
class Counted final : public SeriesCounts {
 public:
  Counted(std::uint64_t each, std::uint64_t alike, std::uint64_t groups)
      : each_(each), alike_(alike), groups_(groups) {}
  std::uint64_t count(std::size_t /*selector*/) const override { return each_; }
  std::uint64_t groups(std::size_t /*selector*/,
                       const std::vector<std::string>& /*labels*/) const override {
    return groups_;
  }
  std::uint64_t alike(std::size_t /*selector*/, const VectorMatching& /*matching*/) const override {
    return alike_;
  }
  std::uint64_t label_bytes(std::size_t /*selector*/) const override { return kLabels; }

 private:
  std::uint64_t each_;
  std::uint64_t alike_;
  std::uint64_t groups_;
};

struct Case {
  std::string text;
  std::uint64_t steps = 1;
  std::uint64_t series = 1;
  bool is_too_much = false;
  Dialect dialect = Dialect::kPrometheus3;
  std::uint64_t alike = 1;
  std::uint64_t groups = UINT64_MAX;
};

std::uint64_t bytes_of(const Case& each) {
  const auto expr = parse(each.text, each.dialect);
  EXPECT_TRUE(expr.has_value()) << each.text;
  if (!expr) return 0;
  const EvaluationShape shape{each.dialect, each.steps,
                              15s * static_cast<Duration::rep>(each.steps - 1)};
  return result_bytes(**expr, shape, Counted(each.series, each.alike, each.groups));
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
  constexpr std::uint64_t kBeside = 20 * (512 + kLabels) + 512;
  EXPECT_EQ(bytes_of({"x + 0", 100, 10}), 21 * 100 * 16 + kBeside);
  EXPECT_EQ(bytes_of({"x + 0", 10'000, 10}), 21 * 5'000 * 16 + kBeside);
  EXPECT_EQ(bytes_of({"x + 0", 10'000, 10, false, Dialect::kPrometheus2}),
            21 * 10'000 * 24 + kBeside);
}

TEST(ResultMemory, WhatHoldsNoMoreIsNotCountedTwice) {
  // Three levels over each other, of which two are there at a time.
  EXPECT_EQ(bytes_of({"abs(abs(abs(x)))", 100, 10}), bytes_of({"abs(x)", 100, 10}));
  // The first side is there while the second is made.
  EXPECT_EQ(bytes_of({"x * (x * x)", 100, 10}), 4 * 10 * (100 * 16 + 512 + kLabels));
}

TEST(ResultMemory, NewerOperatorsMayMakeMoreSeries) {
  constexpr std::uint64_t kEach = 100 * 16 + 512;
  // Two sides, and results of either.
  EXPECT_EQ(bytes_of({"x * fill (0) y", 100, 10}), 40 * (kEach + kLabels));
  EXPECT_EQ(bytes_of({"x * y", 100, 10}), 30 * (kEach + kLabels));
  EXPECT_GT(bytes_of({R"(histogram_quantiles(x, "q", 0.1, 0.5, 0.9))", 100, 10}),
            40 * (kEach + kLabels));
  EXPECT_FALSE(makes_series_at_each_step(**parse("x * fill (0) y", Dialect::kPrometheus3)));
  EXPECT_TRUE(makes_series_at_each_step(**parse(R"(info(x, {a="b"}))", Dialect::kPrometheus3)));
  const std::string info = R"(info(x, {__name__="t",a="b"}))";
  EXPECT_EQ(bytes_of({info, 100, 10}), 20 * (kEach + kLabels) + 10 * (kEach + 2 * kLabels));
  EXPECT_EQ(bytes_of({info, 100, 10, false, Dialect::kPrometheus3, 5}),
            20 * (kEach + kLabels) + 50 * (kEach + 2 * kLabels));
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
      {text, 10'000, 80, true, Dialect::kPrometheus3, 9'000},
      {"(" + terms(60) + ") * on () group_left (n) gl", 8'900, 9'000, true, Dialect::kPrometheus3,
       9'000},
      {"gl * on () group_right (n) (" + terms(60) + ")", 8'900, 9'000, true, Dialect::kPrometheus3,
       9'000},
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
  for (const char* one : {"max by (name) (info)", "max without (node) (info)", "(info or info)",
                          "(info * info)", R"q(label_replace(info, "node", "$1", "host", "(.+)"))q",
                          R"(count_values by (node) ("name", info))"}) {
    EXPECT_GT(bytes_of({many + one, 1'000, 1'000}), kResultBytesMax) << one;
  }
}

/// Remembers what was asked about.
class Alike final : public SeriesCounts {
 public:
  std::uint64_t count(std::size_t /*selector*/) const override { return 1'000; }
  std::uint64_t groups(std::size_t /*selector*/,
                       const std::vector<std::string>& /*labels*/) const override {
    return 1'000;
  }
  std::uint64_t alike(std::size_t /*selector*/, const VectorMatching& matching) const override {
    asked = matching.labels;
    return 1;
  }
  std::uint64_t label_bytes(std::size_t /*selector*/) const override { return kLabels; }

  mutable std::optional<std::vector<std::string>> asked;
};

TEST(ResultMemory, ALabelThatIsAnotherOneTellsTheSamePartners) {
  const auto asked_by = [](const std::string& one, Dialect dialect) {
    const auto expr = parse("x * on (node, zone) group_left (name) " + one, dialect);
    EXPECT_TRUE(expr.has_value()) << one;
    const Alike counts;
    if (expr) result_bytes(**expr, {dialect, 1'000, 15s * 999}, counts);
    return counts.asked;
  };
  const std::vector<std::string> by_source{"zone", "src"};
  for (
      const char* one :
      {R"q(label_replace(info, "node", "$1", "src", "(.*)"))q",
       R"q(label_replace(info, "node", "${1}", "src", "(.*)"))q",
       R"q(max by (node, zone, name) (label_replace(info, "node", "$1", "src", "(.*)")))q",
       R"q(label_replace(max by (src, zone, name) (info), "node", "$1", "src", "(.*)"))q",
       R"q(label_replace(label_replace(info, "a", "$1", "src", "(.*)"), "node", "$1", "a", "(.*)"))q",
       R"q(label_replace(label_replace(info, "x", "$1", "y", "(.+)"), "node", "$1", "src", "(.*)"))q"}) {
    EXPECT_EQ(asked_by(one, Dialect::kPrometheus3), by_source) << one;
  }
  EXPECT_EQ(
      asked_by(R"q(label_replace(info, "node", "$1", "zone", "(.*)"))q", Dialect::kPrometheus3),
      std::vector<std::string>{"zone"});
  const std::string copied = R"q(label_replace(info, "node", "$1", "src", "(.*)"))q";
  EXPECT_FALSE(asked_by(copied, Dialect::kPrometheus2)) << "a value with a line feed stays";
  for (const char* one :
       {R"q(label_replace(info, "node", "$1", "src", "(.+)"))q",
        R"q(label_replace(info, "node", "$1", "src", "(.*):.*"))q",
        R"q(label_replace(info, "node", "x$1", "src", "(.*)"))q",
        R"q(label_replace(info, "node", "x", "", ""))q",
        R"q(label_replace(info, "node", "$1", "__name__", "(.*)"))q",
        R"q(label_join(info, "node", "-", "src"))q",
        R"q(label_replace(max by (node, zone) (info), "node", "$1", "src", "(.*)"))q",
        R"q(label_replace(label_join(info, "src", "", "a"), "node", "$1", "src", "(.*)"))q"}) {
    EXPECT_FALSE(asked_by(one, Dialect::kPrometheus3)) << one;
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

TEST(ResultMemory, ResultsOfAnAggregationAreAsManyAsItsGroups) {
  const auto of = [](const std::string& text) {
    return bytes_of({text, 1'500, 5'000, false, Dialect::kPrometheus3, 1, 10});
  };
  const std::uint64_t few = of("sum(x)") + 10 * (1'500 * 16 + 512 + kLabels);
  for (const char* text :
       {"sum by (job) (x)", "sum by (job) (rate(x[5m]))", "avg by (job) (-(x))",
        "max by (job) (max_over_time(x[1h:1h]))", "sum by (job) (topk(5, x))",
        R"q(sum by (job) (label_replace(x, "y", "z", "a", "b")))q", "sum by (job) (x offset 1d)",
        "quantile by (job) (0.9, x)", "sum by (job) (sum by (job, node) (x))"}) {
    EXPECT_LE(of(text),
              of(std::string(text).replace(std::string(text).find("by (job)"), 8, "")) + few)
        << text;
    EXPECT_LE(of(text), kResultBytesMax) << text;
  }
  for (const char* text :
       {"sum without (node) (x)", R"q(sum by (job) (label_replace(x, "job", "$1", "a", "(.*)")))q",
        R"q(sum by (job) (label_join(x, "job", "-", "a", "b")))q",
        R"q(sum by (job) (count_values by (node) ("job", x)))q",
        "x * on (node) group_left (job) y"}) {
    EXPECT_GT(of(text), 5'000ULL * (2 * 1'500 * 16)) << text;
  }
}

TEST(ResultMemory, LabelsCount) {
  const std::uint64_t plain = bytes_of({"abs(x)", 1, 10'000});
  EXPECT_GE(plain, 2 * 10'000 * kLabels);
  // Half a MiB a series.
  const std::string replaced =
      "label_replace(x, \"a\", \"" + std::string(100'000, 'r') + "\", \"\", \"\")";
  EXPECT_LE(bytes_of({replaced, 1, 100}), kResultBytesMax);
  EXPECT_GT(bytes_of({replaced, 1, 10'000}), kResultBytesMax);
  EXPECT_GT(bytes_of({"count(" + replaced + ")", 1, 10'000}), kResultBytesMax);
  EXPECT_GT(bytes_of({"x * on () group_left (l) y", 1, 10'000}),
            bytes_of({"x * on () y", 1, 10'000}));
}

TEST(ResultMemory, NothingIsAssumedOfSeriesThatNobodyCounted) {
  const auto bytes = [](const char* text, std::uint64_t steps, std::uint64_t each) {
    const auto expr = parse(text, Dialect::kPrometheus3);
    const EvaluationShape shape{Dialect::kPrometheus3, steps, 15s * (steps - 1)};
    return result_bytes(**expr, shape, AssumedSeries(each, 300));
  };
  EXPECT_LE(bytes("sum by (job) (rate(x[5m]))", 100, 50'000), kResultBytesMax);
  EXPECT_GT(bytes("sum by (job) (rate(x[5m]))", 1'500, 50'000), kResultBytesMax);
  EXPECT_LE(bytes("sum(rate(x[5m]))", 11'000, 50'000), kResultBytesMax);
  EXPECT_GT(bytes("x * on (node) group_left (name) info", 100, 50'000), kResultBytesMax);
  EXPECT_LE(bytes("x * on (node) group_left (name) info", 1, 50'000), kResultBytesMax);
  EXPECT_LE(bytes("histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))", 1, 50'000),
            kResultBytesMax);
}

TEST(ResultMemory, WhatMakesSeriesAtEachStepIsKnown) {
  for (const char* text : {R"(count_values("v", x))", R"(1 + sum(count_values("v", x)))",
                           "x * on (a) group_left (b) y", "abs(x * on (a) group_right (b) y)",
                           R"(max_over_time(count_values("v", x)[1h:1m]))"}) {
    EXPECT_TRUE(makes_series_at_each_step(**parse(text, Dialect::kPrometheus3))) << text;
  }
  for (const char* text : {"x", "sum by (a) (x)", "x * on (a) group_left () y", "topk(3, x)"}) {
    EXPECT_FALSE(makes_series_at_each_step(**parse(text, Dialect::kPrometheus3))) << text;
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

/// As many as a query may name: what it costs is looked up, not searched through.
TEST(ResultMemory, ThousandsOfLabelsAreLookedUp) {
  std::string labels;
  for (int i = 0; i < 2'400; ++i) labels += (i > 0 ? ",l" : "l") + std::to_string(i);
  std::string text = "x";
  text = "sum by (" + labels + ") (" + text + " * on (z) group_left (" + labels + ") y)";
  const Case counted{text, 10, 100, false, Dialect::kPrometheus3, 1, 10};
  EXPECT_GT(bytes_of(counted), 0U);
}

TEST(ResultMemory, NumbersSaturate) {
  EXPECT_GT(bytes_of({"count_over_time(count_over_time(vector(1)[200y:1ms])[200y:1ms])", 1, 0}),
            0U);
  const Case most{R"(count_values("v", count_values("w", x)))", 11'000, UINT64_MAX};
  EXPECT_EQ(bytes_of(most), UINT64_MAX);
}

}  // namespace
}  // namespace vigia::promql
