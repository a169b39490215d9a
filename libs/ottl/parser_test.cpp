#include "libs/ottl/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/ottl/context.hpp"
#include "libs/ottl/limits.hpp"

namespace vigia::ottl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string condition_error(std::string_view text) {
  const auto tree = parse_condition(text);
  return tree ? "" : tree.error().message;
}

std::string statement_error(std::string_view text) {
  const auto tree = parse_statement(text);
  return tree ? "" : tree.error().message;
}

TEST(OttlParser, ReadsConditions) {
  for (const std::string_view text :
       {"true", "not true", "IsMatch(log.body, \"a.*\")", "log.attributes[\"a\"] == nil",
        "a == 1 and b != -1.5 or not (c < .5 and d >= 0xff)",
        "(span.end_time - span.start_time) < Duration(\"1s\")",
        "a[\"b\"][0][log.body] == [1, \"2\"]", "a == {\"k\": {\"l\": 1}, \"m\": 2}",
        "Split(a, \",\")[0] == \"x\"", "a == SEVERITY_NUMBER_WARN2", "(((a == 1)))",
        "a == 1\n  and\tb == 2", "Len(a) * 2 + 1 > -Len(b)", "not (a == 1)"})
    EXPECT_EQ(condition_error(text), "") << text;
}

TEST(OttlParser, ReadsStatements) {
  for (const std::string_view text :
       {"set(log.body, \"x\")", "limit(a, 10, [])", "set(a, b) where c == 1 or IsString(d)",
        "replace_pattern(a, \"(x)\\\\d\", \"$1\") where true", "f(a = 1, b = [1])", "f()"})
    EXPECT_EQ(statement_error(text), "") << text;
}

TEST(OttlParser, ErrorsSayWhereAndWhat) {
  EXPECT_EQ(condition_error("a =="), "1:5: a value is missing at the end");
  EXPECT_THAT(condition_error("a == 1 and\nb"),
              StartsWith("2:1: \"and\" stands between conditions"));
  EXPECT_THAT(condition_error("a"), StartsWith("1:1: a condition is a comparison"));
  EXPECT_THAT(condition_error("a == \"x"), StartsWith("1:6: a string is not ended"));
  EXPECT_THAT(condition_error("a == \"\\d\""), HasSubstr("written twice"));
  EXPECT_THAT(condition_error("a == 1 2"), StartsWith("1:8: \"2\" stands behind"));
  EXPECT_THAT(condition_error("a == 99999999999999999999"), HasSubstr("more than 64 bits"));
  EXPECT_THAT(condition_error("a == 0xabc"), HasSubstr("even number of digits"));
  EXPECT_THAT(condition_error("a == 12ab"), HasSubstr("ends with a digit"));
  EXPECT_THAT(condition_error("aB == 1"), HasSubstr("small letters"));
  EXPECT_THAT(condition_error("(a == 1"), HasSubstr("\")\" is missing"));
  EXPECT_THAT(condition_error("a == b == c"), HasSubstr("stands behind"));
  EXPECT_THAT(condition_error("a + \"x\" == 1"), HasSubstr("can be computed with"));
  EXPECT_THAT(condition_error("a & b"), HasSubstr("means nothing"));
  EXPECT_THAT(condition_error("Filter(a, (x) => x == 1)"), HasSubstr("are not taken"));
  EXPECT_THAT(condition_error(""), HasSubstr("a value is missing at the end"));
}

TEST(OttlParser, AStatementIsAnEditor) {
  EXPECT_THAT(statement_error("Set(a, b)"), HasSubstr("small first letter"));
  EXPECT_THAT(statement_error("a == 1"), HasSubstr("begins with an editor"));
  EXPECT_THAT(statement_error("\"x\""), HasSubstr("begins with an editor"));
  EXPECT_THAT(statement_error("set(a, b)[0]"), HasSubstr("could have a key"));
  EXPECT_THAT(statement_error("set(a, b) where"), HasSubstr("missing at the end"));
  EXPECT_THAT(statement_error("set(a, b == 1)"), HasSubstr("\")\" is missing"));
  EXPECT_THAT(statement_error("set(a, (b == 1))"), HasSubstr("not a condition"));
}

TEST(OttlParser, WhatOneTextMayAskForIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "a == 1" + std::string(depth, ')');
  };
  EXPECT_EQ(condition_error(nested(kDepthMax - 2)), "");
  EXPECT_THAT(condition_error(nested(kDepthMax + 1)), HasSubstr("too large"));
  EXPECT_THAT(condition_error("a == \"" + std::string(kTextBytesMax, 'x') + "\""),
              HasSubstr("65536 at most"));
  std::string sum = "a == 1";
  for (std::size_t i = 0; i <= kPartsMax; ++i) sum += "+1";
  EXPECT_THAT(condition_error(sum), HasSubstr("too large"));
  std::string list = "a == [1";
  for (std::size_t i = 0; i <= kPartsMax; ++i) list += ",1";
  EXPECT_THAT(condition_error(list + "]"), HasSubstr("too large"));
  std::string keys = "a";
  for (std::size_t i = 0; i <= kDepthMax; ++i) keys += "[0]";
  EXPECT_THAT(condition_error(keys + " == 1"), HasSubstr("too large"));
}

TEST(OttlParser, AQuotedTextIsReadBack) {
  for (const std::string_view text : {"", "a\"b\\c", "line\nbreak\t", "é✓", "\x01$1"}) {
    const auto tree = parse_condition("a == " + quoted(text));
    ASSERT_TRUE(tree.has_value()) << text;
    const auto& right = *std::get<CompareNode>((*tree)->node).right;
    EXPECT_EQ(std::get<std::string>(std::get<LiteralNode>(right.node).value), text);
  }
}

TEST(OttlParser, ContextsAreTakenFromPaths) {
  const std::string text =
      "log.body == resource.attributes[scope.name] and Len(log.attributes) > 1";
  const auto tree = parse_condition(text);
  ASSERT_TRUE(tree.has_value());
  const auto contexts = contexts_in(**tree, text);
  ASSERT_TRUE(contexts.has_value());
  EXPECT_THAT(*contexts,
              ElementsAre(Context::kLog, Context::kResource, Context::kScope, Context::kLog));
  EXPECT_EQ(common_context(*contexts, Signal::kLogs), Context::kLog);
  EXPECT_EQ(common_context(*contexts, Signal::kTraces), std::nullopt);
  EXPECT_EQ(common_context({Context::kMetric, Context::kPoint}, Signal::kMetrics), Context::kPoint);
  EXPECT_EQ(common_context({Context::kSpan, Context::kLog}, Signal::kTraces), std::nullopt);
  EXPECT_EQ(common_context({}, Signal::kTraces), std::nullopt);

  const std::string unnamed = "log.body == attributes[\"a\"]";
  const auto wrong = contexts_in(**parse_condition(unnamed), unnamed);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, StartsWith("1:13: attributes names no context"));
}

}  // namespace
}  // namespace vigia::ottl
