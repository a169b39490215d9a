// What each 3.x brought, and what it asks a flag for.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::promql {
namespace {

using ::testing::HasSubstr;

std::string canonical(std::string_view text, const Language& language) {
  const auto expr = parse(text, language);
  return expr ? print(**expr) : "error: " + expr.error().message;
}

struct Read {
  const char* text;
  const char* printed;
};

constexpr LanguageFeatures kNoFeatures{false, false, false, false};

Language of_minor(int minor, LanguageFeatures features = {}) {
  return {Dialect::kPrometheus3, minor, features};
}

struct Newer {
  const char* text;
  int since;
};

class NewWords : public testing::TestWithParam<Newer> {};

TEST_P(NewWords, AreOfTheVersionThatBroughtThem) {
  const auto& [text, since] = GetParam();
  const std::string printed = canonical(text, Dialect::kPrometheus3);
  EXPECT_EQ(printed, text);
  EXPECT_EQ(canonical(text, of_minor(since)), text);
  EXPECT_FALSE(parse(text, of_minor(since - 1)).has_value()) << text;
  EXPECT_FALSE(parse(text, Dialect::kPrometheus2).has_value()) << text;
}

INSTANTIATE_TEST_SUITE_P(Functions, NewWords,
                         testing::Values(Newer{"ts_of_last_over_time(x[5m])", 5},
                                         Newer{"first_over_time(x[5m])", 7},
                                         Newer{"ts_of_first_over_time(x[5m])", 7},
                                         Newer{"histogram_quantiles(x, \"q\", 0.5, 0.9)", 11},
                                         Newer{"vector(start())", 12}, Newer{"end() - start()", 12},
                                         Newer{"range() / step()", 12},
                                         Newer{"max_of(1, min_of(2, 3))", 13},
                                         Newer{"start_timestamp(x)", 14}));
INSTANTIATE_TEST_SUITE_P(Lengths, NewWords,
                         testing::Values(Newer{"x[5m + 1]", 4}, Newer{"x[(5m + 1)]", 4},
                                         Newer{"x[-(2 ^ 2) * -1 % 7m]", 4},
                                         Newer{"x offset +(5m / 2)", 4},
                                         Newer{"x[5m:2 * 30s] offset +(1h + 1)", 4},
                                         Newer{"x[step()]", 6}, Newer{"x offset -step()", 6},
                                         Newer{"x[5m:step()]", 6}, Newer{"x[range()]", 10},
                                         Newer{"x[min_of(5m, 2 * step())]", 13},
                                         Newer{"x offset -max_of(5m, range())", 13}));
INSTANTIATE_TEST_SUITE_P(
    Modifiers, NewWords,
    testing::Values(Newer{"rate(x[5m] anchored)", 7}, Newer{"x smoothed @ 5.000 offset 5m", 7},
                    Newer{"a + fill (0) b", 10}, Newer{"a + on (x) fill_left (-1.5) b", 10},
                    Newer{"a > bool ignoring (x) group_left () fill_right (NaN) b", 10},
                    Newer{"a * fill_left (1) fill_right (-Inf) b", 10}, Newer{"a </ 5", 11},
                    Newer{"a >/ b + c", 11}));

TEST(Lengths, AreReadAsPrometheusReadsThem) {
  const std::vector<Read> texts{
      {"x[5m+1]", "x[5m + 1]"},
      {"x[+5m]", "x[5m]"},
      {"x[--5m]", "x[5m]"},
      {"x[((5m))]", "x[5m]"},
      {"x[STEP()*2]", "x[step() * 2]"},
      {"x offset 5m + 3", "x offset 5m + 3"},
      {"x offset -2^2", "x offset -2s ^ 2"},
      {"x offset step() + 3", "x offset step() + 3"},
      {"x offset (5m) + 3", "x offset +(5m + 3)"},
      {"x offset -(5m) + 3", "x offset -5m + 3"},
      {"x offset --5m", "x offset 5m"},
      {"x[-1 * -5m]", "x[-1 * -5m]"},
      {"x[2 ^ 3 ^ 2]", "x[2 ^ 3 ^ 2]"},
      {"x anchored [5m]", "x[5m] anchored"},
      {"x[5m] anchored anchored offset 1m", "x[5m] anchored offset 1m"},
      {"a + fill_right(2) fill_left(2) b", "a + fill (2) b"},
      {"anchored anchored", "anchored anchored"},
      {"step + range + min_of", "step + range + min_of"},
      {"fill + fill_left{}", "fill + fill_left"},
      {"sum by (step, fill, smoothed) (range)", "sum by (step, fill, smoothed) (range)"},
  };
  for (const Read& text : texts) {
    EXPECT_EQ(canonical(text.text, Dialect::kPrometheus3), text.printed);
    EXPECT_EQ(canonical(text.printed, Dialect::kPrometheus3), text.printed);
  }
  // In one the sum is the offset, in the other an addition.
  EXPECT_EQ((*parse("x offset (5m) + 3", Dialect::kPrometheus3))->depth, 1U);
  EXPECT_EQ((*parse("x offset -(5m) + 3", Dialect::kPrometheus3))->depth, 2U);
}

TEST(Lengths, AreRefusedAsPrometheusRefusesThem) {
  for (const auto* text : {"x[]",
                           "x[0]",
                           "x[-5m]",
                           "x[5m / 0]",
                           "x[5m % 0]",
                           "x[5m +]",
                           "x[(5m]",
                           "x[step]",
                           "x[step(1)]",
                           "x[min_of(1)]",
                           "x[min(1, 2)]",
                           "x[foo]",
                           "x[5m:1m:1m]",
                           "x[:1m]",
                           "x[step():1m]",
                           "x[# c\n5m]",
                           "x[1e10]",
                           "x offset foo",
                           "x offset",
                           "x[5m] anchored smoothed",
                           "x[5m:1m] anchored",
                           "1 anchored",
                           "a + fill () b",
                           "a + fill (1) fill (1) b",
                           "a + fill_left (1) fill_left (1) b",
                           "a + fill (1) 1",
                           "a and fill (1) b",
                           "a </ bool b",
                           "histogram_quantiles(x, \"q\")",
                           "min_of(x, 1)",
                           "STEP()"}) {
    EXPECT_FALSE(parse(text, Dialect::kPrometheus3).has_value()) << text;
  }
  EXPECT_TRUE(parse("y[5m] + x[step():1m]", Dialect::kPrometheus3).error().message.find("binary") !=
              std::string::npos)
      << "a number in brackets before is enough for Prometheus' colon";
}

TEST(Lengths, WereOtherwiseInOlderVersions) {
  EXPECT_EQ(canonical("x[min(5m, MAX(1, step()))]", of_minor(12)), "x[min(5m, max(1, step()))]");
  EXPECT_EQ(canonical("x offset -min(5m, 1h)", of_minor(6)), "x offset -min(5m, 1h)");
  EXPECT_FALSE(parse("x[min_of(5m, 1h)]", of_minor(12)).has_value());
  EXPECT_FALSE(parse("x offset +5m", of_minor(3)).has_value());
  EXPECT_TRUE(parse("x offset +5m", of_minor(4)).has_value());
  EXPECT_EQ(canonical("step(x)", of_minor(5)),
            "error: 1:1: parse error: unknown function with name \"step\" (it came with Prometheus "
            "3.12, and a store here is older)");
}

TEST(Features, WhatIsNotSwitchedOnIsRefusedInPrometheusWords) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"mad_over_time(x[5m])", "function \"mad_over_time\" is not enabled"},
      {"info(x)", "function \"info\" is not enabled"},
      {"limitk(1, x)", "limitk() is experimental and must be enabled with"},
      {"x[5m + 1m]", "experimental duration expression is not enabled"},
      {"x[(5m)]", "experimental duration expression is not enabled"},
      {"x[step()]", "experimental duration expression is not enabled"},
      {"x anchored", "anchored modifier is experimental and not enabled"},
      {"x[5m] smoothed", "smoothed modifier is experimental and not enabled"},
      {"a + fill (0) b", "binop fill modifiers are experimental and not enabled"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(canonical(text, of_minor(13, kNoFeatures)), HasSubstr(message)) << text;
    EXPECT_TRUE(parse(text, of_minor(13)).has_value()) << text;
  }
  EXPECT_TRUE(parse("first_over_time(x[--5m])", of_minor(14, kNoFeatures)).has_value());
  EXPECT_FALSE(parse("first_over_time(x[5m])", of_minor(13, kNoFeatures)).has_value());
  EXPECT_TRUE(parse("x[step()]", of_minor(11, kNoFeatures)).has_value())
      << "until 3.12 no flag was asked for a word alone";
}

}  // namespace
}  // namespace vigia::promql
