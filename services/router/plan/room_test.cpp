#include "services/router/plan/room.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "libs/promql/info.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using promql::Dialect;

promql::ExprPtr parsed(const std::string& text) {
  auto expr = promql::parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  return expr ? std::move(*expr) : nullptr;
}

promql::EvaluationShape shape(std::uint64_t steps, Dialect dialect = Dialect::kPrometheus3) {
  return {dialect, steps, std::chrono::seconds(15) * static_cast<Duration::rep>(steps - 1)};
}

TEST(QueryRoom, WhatFitsNowhereIsRefusedWithWhatHelps) {
  const auto refused = check_room_of_fewest(*parsed(R"(count_values("v", x))"), shape(11'000));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  for (const char* words :
       {"could take 8", "384 MiB", "even one series", "11000 steps", "fewer series", "longer step",
        "shorter range", "count_values", "count by (label) (…)"}) {
    EXPECT_NE(refused.error().message.find(words), std::string::npos)
        << words << " in " << refused.error().message;
  }
  for (const char* text :
       {"x", "rate(x[5m])", "sum by (a) (x) / sum by (a) (y)", "x * on (a) group_left (b) y"}) {
    EXPECT_TRUE(check_room_of_fewest(*parsed(text), shape(11'000)).has_value()) << text;
  }
  EXPECT_TRUE(check_room_of_fewest(*parsed(R"(count_values("v", x))"), shape(1'500)).has_value());
}

TEST(QueryRoom, OrdinaryQueriesAreNotCounted) {
  struct Case {
    const char* text;
    std::uint64_t steps;
    bool is_free;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"up{job=\"customer-agents\"} == 0", 1, true},
           {"avg(system_cpu_usage) by (node_id)", 1, true},
           {"histogram_quantile(0.99, sum by (le, job) (rate(x_bucket[5m])))", 1, true},
           {"sum by (job) (rate(x[5m])) / sum by (job) (rate(y[5m]))", 1, true},
           {"x * on (node) group_left (name) info", 1, true},
           {"count_values(\"v\", x)", 1, true},
           {"sum by (job) (rate(x[5m]))", 60, true},
           {"rate(x[5m])", 100, true},
           {"sum(rate(x[5m]))", 11'000, true},
           {"label_replace(avg(avg_over_time(x[1m])), \"part\", \"cpu\", \"\", \"\")", 2'000, true},
           {"rate(x[5m])", 11'000, true},  // 3.x: twice what --query.max-samples lets pass
           {"sum by (job) (rate(x[5m]))", 1'500, false},
           {"x + 0", 1'500, false},
           {"x * on (node) group_left (name) info", 60, false},
           {"count_values(\"v\", x)", 60, false}}) {
    EXPECT_EQ(has_room_uncounted(*parsed(each.text), shape(each.steps), {}), each.is_free)
        << each.text << ", " << each.steps;
  }
  EXPECT_FALSE(
      has_room_uncounted(*parsed("rate(x[5m])"), shape(11'000, Dialect::kPrometheus2), {}));
}

TEST(QueryRoom, WhoMayHaveMoreSeriesIsCountedSooner) {
  const access::Caller small{std::nullopt, "", 0, 1'000, {}};
  const access::Caller large{std::nullopt, "", 0, 200'000, {}};
  const auto expr = parsed("rate(x[5m]) + 0");
  EXPECT_TRUE(has_room_uncounted(*expr, shape(100), {}));
  // Series may come and go, so that a small limit allows no more steps.
  EXPECT_EQ(has_room_uncounted(*expr, shape(1'500), small),
            has_room_uncounted(*expr, shape(1'500), {}));
  EXPECT_FALSE(has_room_uncounted(*expr, shape(100), large));
  EXPECT_TRUE(has_room_uncounted(*expr, shape(1), large));
}

TEST(QueryRoom, AtOneTimeNobodyIsCountedForSeriesThatItMayHave) {
  const access::Caller largest{std::nullopt, "", 0, 1'000'000, {}};
  for (const char* text : {"up", "sum by (job) (rate(x[5m]))", "x * on (node) group_left (n) y"}) {
    EXPECT_TRUE(has_room_uncounted(*parsed(text), shape(1), largest)) << text;
    EXPECT_FALSE(has_room_uncounted(*parsed(text), shape(100), largest)) << text;
  }
  // What the store's own bound on samples says nothing of.
  for (const char* text :
       {R"q(label_replace(x, "a", "$1$1", "b", "(.*)"))q", "max_over_time((x + 0)[1h:5m])"}) {
    EXPECT_TRUE(has_room_uncounted(*parsed(text), shape(1), {})) << text;
    EXPECT_FALSE(has_room_uncounted(*parsed(text), shape(1), largest)) << text;
  }
}

/// All that the differential tests of the parser know.
TEST(QueryRoom, NothingOfTheCorpusIsRefusedOrCountedAtOneTime) {
  std::ifstream file("tests/golden/promql/expressions.txt");
  ASSERT_TRUE(file.is_open()) << "run from the root";
  std::string line;
  std::size_t expressions = 0;
  std::size_t refused = 0;
  while (std::getline(file, line)) {
    const auto expr = promql::parse(line, Dialect::kPrometheus3);
    if (!expr) continue;
    promql::write_info_selectors(**expr);  // as a question does
    ++expressions;
    EXPECT_TRUE(check_room_of_fewest(**expr, shape(1)).has_value()) << line;
    // Of five operands at most; and of a subquery of so many steps the series are counted.
    if (line.size() < 100 && line.find('[') == std::string::npos) {
      EXPECT_TRUE(has_room_uncounted(**expr, shape(1), {})) << line;
    }
    const bool may_be_refused = promql::makes_series_at_each_step(**expr);
    const auto most = check_room_of_fewest(**expr, shape(11'000));
    EXPECT_TRUE(most.has_value() || may_be_refused) << line;
    refused += most ? 0 : 1;
  }
  EXPECT_GT(expressions, 200U);
  EXPECT_LT(refused, 10U);
}

TEST(QueryRoom, WhatIsSelectedTwiceIsCountedOnce) {
  const auto expr = parsed("x + rate(x[5m]) + y offset 5m + x offset 1m");
  const promql::Evaluation times{testing::kNowMs, testing::kNowMs};
  const auto selected = selected_by(*expr, promql::selector_ranges(*expr, times));
  ASSERT_EQ(selected.size(), 3U) << "over the same five minutes x is the same";
  EXPECT_EQ(selected[0].numbers, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(selected[1].numbers, (std::vector<std::size_t>{2}));
  EXPECT_FALSE(selected[1].selector.range.has_value());
  EXPECT_EQ(selected[1].selector.shift.offset, Duration::zero());
  EXPECT_EQ(selected[2].numbers, (std::vector<std::size_t>{3}));
}

TEST(QueryRoom, SeriesWhosePartsAreReadAreCountedOnceAndAsSeries) {
  const auto expr =
      parsed(R"(x{a="b",__rollup__="1h:last"} unless x{a="b",__rollup__="1h:stale_time"})");
  const promql::Evaluation times{testing::kNowMs, testing::kNowMs};
  const auto selected = selected_by(*expr, promql::selector_ranges(*expr, times));
  ASSERT_EQ(selected.size(), 1U);
  EXPECT_EQ(promql::print(selected[0].selector), R"(x{a="b"})");
  EXPECT_EQ(selected[0].numbers, (std::vector<std::size_t>{0, 1}));
}

}  // namespace
}  // namespace vigia::router::plan
