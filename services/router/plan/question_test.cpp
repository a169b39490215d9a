#include "services/router/plan/question.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/promql/limits.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/request/times.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using testing::acme;
using ::testing::HasSubstr;
using testing::kNowMs;
using testing::parameters_of;
using testing::rules_of;

constexpr TimestampMs kFiveMinutes = 300'000;

std::string value_of(const Question& question, std::string_view name) {
  for (const auto& [key, value] : question.form) {
    if (key == name) return value;
  }
  return "-";
}

/// The question, or what is wrong with it.
Result<Question> asked(request::Form form, bool is_range = false) {
  const auto parameters = parameters_of(form);
  return is_range ? read_range(acme(), parameters, rules_of())
                  : read_instant(acme(), parameters, rules_of());
}
std::string refused(request::Form form, bool is_range = false) {
  const auto question = asked(std::move(form), is_range);
  if (question) return "";
  return question.error().message;
}

TEST(Question, WhatGoesToAStoreIsFencedAndComplete) {
  const Question question = testing::instant("up");
  EXPECT_EQ(question.path, "/api/v1/query");
  EXPECT_EQ(value_of(question, "query"), R"(up{customer_id="acme"})");
  EXPECT_EQ(value_of(question, "time"), request::format_seconds(kNowMs));
  EXPECT_EQ(value_of(question, "timeout"), "120000ms");
  EXPECT_EQ(value_of(question, "stats"), "1");
  EXPECT_EQ(question.form.size(), 4U) << "and nothing else";
  EXPECT_TRUE(question.is_own_stats);
  EXPECT_EQ(question.timeout, std::chrono::seconds(125)) << "the store's own comes first";
  EXPECT_EQ(question.shape.text, R"(up{customer_id="acme"})");
}

// 400, as Prometheus has it for all that is wrong with a query; 413 is for bodies.
TEST(Question, OverALimitOfQueriesIsTheCallersFault) {
  const std::vector<std::string> texts{
      std::string(promql::kLengthMax + 1, 'a'), std::string(5'000, '(') + "1",
      "up{a=~`(" + std::string(promql::kRegexBytesMax, 'a') + ")`}",
      // Within the length as it came, and beyond it with the fence.
      std::string(promql::kLengthMax - 1, 'a')};
  for (const std::string& text : texts) {
    const auto question = asked({{"query", text}});
    ASSERT_FALSE(question.has_value()) << text.substr(0, 20);
    EXPECT_EQ(question.error().code, ErrorCode::kInvalid) << question.error().message;
  }
}

TEST(Question, OperatorsAskForEverybodysSeries) {
  const auto question = read_instant({}, parameters_of({{"query", "absent( up )"}}), rules_of());
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(value_of(*question, "query"), "absent(up)");
  EXPECT_EQ(question->caller.payer(), "");
}

TEST(Question, TheTimesOfAllSelectorsAreTouched) {
  const auto touches = [](const std::string& query) { return testing::instant(query).touches; };
  EXPECT_FALSE(touches("1 + 1").has_value());
  EXPECT_EQ(touches("up"), (promql::TimeRange{kNowMs - kFiveMinutes, kNowMs}));
  EXPECT_EQ(touches("rate(x[1h]) + y offset 2h"),
            (promql::TimeRange{kNowMs - 7'200'000 - kFiveMinutes, kNowMs}));
  const Question range = testing::range_of("up", 61);
  EXPECT_EQ(range.shape.steps, 61U);
  EXPECT_EQ(range.length, std::chrono::minutes(1));
  EXPECT_EQ(range.touches, (promql::TimeRange{kNowMs - 60'000 - kFiveMinutes, kNowMs}));
  EXPECT_EQ(testing::instant("1 + 1").shape.text, "") << "nothing is remembered of it";
}

TEST(Question, OptionsGoOnInOneForm) {
  const auto question = asked({{"query", "up"},
                               {"time", "1970-01-01T00:00:01Z"},
                               {"timeout", "3s"},
                               {"lookback_delta", "1m"},
                               {"limit", "7"},
                               {"stats", "all"},
                               {"unknown", "x"}});
  ASSERT_TRUE(question.has_value()) << question.error().message;
  EXPECT_EQ(value_of(*question, "time"), "1.000");
  EXPECT_EQ(value_of(*question, "timeout"), "3000ms");
  EXPECT_EQ(value_of(*question, "lookback_delta"), "60000ms");
  EXPECT_EQ(value_of(*question, "limit"), "7");
  EXPECT_EQ(value_of(*question, "stats"), "all");
  EXPECT_FALSE(question->is_own_stats);
  EXPECT_EQ(value_of(*question, "unknown"), "-");
  EXPECT_EQ(question->touches, (promql::TimeRange{1'000 - 60'000, 1'000}));
  EXPECT_EQ(value_of(*asked({{"query", "up"}, {"timeout", "1h"}}), "timeout"), "120000ms");
  EXPECT_EQ(value_of(*asked({{"query", "up"}, {"timeout", "0"}}), "timeout"), "0ms");
  EXPECT_EQ(value_of(*asked({{"query", "up"}, {"lookback_delta", "0"}}), "lookback_delta"), "-");
}

TEST(Question, FaultsAreToldInTheCallersWords) {
  const std::string up = "up";
  EXPECT_THAT(refused({}), HasSubstr("parameter \"query\" is missing"));
  EXPECT_THAT(refused({{"query", "up{"}}), HasSubstr("invalid parameter \"query\""));
  EXPECT_THAT(refused({{"query", "up{__rollup__=\"1h\"}"}}), HasSubstr("the router's own"));
  EXPECT_THAT(refused({{"query", up}, {"time", "x"}}), HasSubstr("invalid parameter \"time\""));
  EXPECT_THAT(refused({{"query", up}, {"query", "down"}}), HasSubstr("different values"));
  EXPECT_THAT(refused({{"query", "info(up)"}}), ::testing::Not(::testing::IsEmpty()));
  EXPECT_THAT(refused({{"query", "max_over_time((x + 0)[50y:1ms])"}}),
              HasSubstr("the subqueries would be evaluated more than"));
}

TEST(Question, RangesHaveRulesOfTheirOwn) {
  const request::Form good{{"query", "up"}, {"start", "0"}, {"end", "11000"}, {"step", "1"}};
  const auto with = [&good](const std::string& name, const std::string& value) {
    request::Form form = good;
    for (auto& [key, old] : form) {
      if (key == name) old = value;
    }
    return form;
  };
  EXPECT_EQ(refused(good, true), "");
  EXPECT_EQ(asked(good, true)->path, "/api/v1/query_range");
  EXPECT_THAT(refused({{"query", "up"}, {"start", "0"}}, true), HasSubstr("are all needed"));
  EXPECT_THAT(refused(with("end", "-1"), true), HasSubstr("must not be before start time"));
  EXPECT_THAT(refused(with("end", "11001"), true), HasSubstr("11,000 points per timeseries"));
  EXPECT_THAT(refused(with("step", "0"), true), HasSubstr("\"step\""));
  EXPECT_THAT(refused(with("query", R"(count_values("v", x))"), true), HasSubstr("384 MiB"));
}

TEST(Question, WhatAQuerySaysOfItsTimesIsPutInFigures) {
  const Question range = testing::range_of("rate(x[2 * step() + range()]) + end()", 61);
  ASSERT_TRUE(range.touches.has_value());
  EXPECT_EQ(range.touches->from_ms, kNowMs - 60'000 - 62'000);
  EXPECT_EQ(promql::print(*range.expr), R"(rate(x{customer_id="acme"}[1m2s]) + 1800000000)");
  const Question info = testing::instant(R"(info(rate(x[1m]), {a="b"}))");
  EXPECT_EQ(info.ranges.size(), 2U);
  EXPECT_EQ(promql::print(*info.expr), R"(info(rate(x{customer_id="acme"}[1m]), )"
                                       R"({__name__="target_info",a="b",customer_id="acme"}))");
  EXPECT_THAT(refused({{"query", "x[step()]"}}), HasSubstr("duration must be greater than 0"));
  EXPECT_THAT(refused({{"query", "info(x)"}}), HasSubstr("with the labels that it is to add"));
}

TEST(Question, ComputedLengthsAreBoundedAsOthers) {
  const auto over_an_hour = [](const std::string& query, const access::Caller& caller) {
    const request::Form form{
        {"query", query}, {"start", "1700000000"}, {"end", "1700003600"}, {"step", "1"}};
    const auto question = read_range(caller, parameters_of(form), rules_of());
    return question ? std::string() : question.error().message;
  };
  const auto evaluated = HasSubstr("the subqueries would be evaluated more than");
  EXPECT_THAT(over_an_hour("max_over_time((x + 0)[2 ^ 10 * 1d:1ms * 5])", acme()), evaluated);
  EXPECT_THAT(over_an_hour("max_over_time((x + 0)[1 * range():step() / 1000])", acme()), evaluated);
  EXPECT_THAT(over_an_hour("max_over_time((x + 0)[1h:step() / 1e6])", acme()),
              HasSubstr("duration must be greater than 0"));
  access::Caller caller = acme();
  caller.limits.range = std::chrono::hours(24);
  EXPECT_EQ(over_an_hour("rate(x[23h - 1m])", caller), "");
  for (const std::string query :
       {"rate(x[range() * 26])", "x + x offset (24 * range())", "rate(x[23h - 1m] anchored)",
        "max_over_time(x[1h + 24 * range():30s])", R"(info(x offset 23h, {a="b"}))"}) {
    EXPECT_THAT(over_an_hour(query, caller), HasSubstr(access::name_of(access::QueryLimit::kRange)))
        << query;
  }
}

TEST(Question, ABareReadingReadsTheSameAndNothingToRemark) {
  const Question question = testing::instant("rate(x[1m] offset 1h) / on () y @ 100");
  EXPECT_EQ(bare_reading(*question.expr, question.ranges),
            R"(count(last_over_time(x{customer_id="acme"}[1m1ms] @ )" +
                request::format_seconds(kNowMs - 3'600'000) +
                R"()) or count(last_over_time(y{customer_id="acme"}[5m1ms] @ 100.000)))");
}

TEST(Question, ABareReadingOfWhatIsExtendedReadsAsFar) {
  const Question question = testing::instant("rate(x[1m] anchored) / on () y smoothed");
  EXPECT_EQ(bare_reading(*question.expr, question.ranges),
            R"(count(last_over_time(x{customer_id="acme"}[6m1ms] @ )" +
                request::format_seconds(kNowMs) +
                R"()) or count(last_over_time(y{customer_id="acme"}[15m1ms] @ )" +
                request::format_seconds(kNowMs + 300'000) + "))");
}

TEST(Expression, WhatReadsNothingHasNoSelector) {
  const auto has = [](const std::string& query) {
    return has_selector(
        **read_expression(parameters_of({{"query", query}}), promql::Dialect::kPrometheus3));
  };
  EXPECT_TRUE(has("sum(rate(x[1m]))"));
  EXPECT_FALSE(has("vector(1) + time()"));
}

}  // namespace
}  // namespace vigia::router::plan
