#include "libs/promql/parser.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/promql/limits.hpp"
#include "libs/promql/printer.hpp"

namespace vigia::promql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string canonical(std::string_view text, const Language& language = Dialect::kPrometheus2) {
  const auto expr = parse(text, language);
  return expr ? print(**expr) : "error: " + expr.error().message;
}

struct Read {
  const char* text;
  const char* printed;
};

class Reads : public testing::TestWithParam<Read> {};

TEST_P(Reads, PrintsTheSameMeaning) {
  for (const Dialect dialect : {Dialect::kPrometheus2, Dialect::kPrometheus3}) {
    EXPECT_EQ(canonical(GetParam().text, dialect), GetParam().printed) << GetParam().text;
    EXPECT_EQ(canonical(GetParam().printed, dialect), GetParam().printed);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Literals, Reads,
    testing::Values(Read{"1", "1"}, Read{"0x1F", "31"}, Read{"010", "8"}, Read{"08", "8"},
                    Read{"1.5e-3", "0.0015"}, Read{".5", "0.5"}, Read{"5.", "5"},
                    Read{"1e22", "1e+22"}, Read{"Inf", "Inf"}, Read{"+inf", "+Inf"},
                    Read{"-INF", "-Inf"}, Read{"nan", "NaN"}, Read{"1e-999", "0"},
                    Read{"9223372036854775808", "9.223372036854776e+18"},
                    Read{"\"a\\\"b\"", "\"a\\\"b\""}, Read{"'a\"b'", "\"a\\\"b\""},
                    Read{"`a\\b`", "\"a\\\\b\""}, Read{"'\\x41\\101\\u00e1'", "\"AA\u00e1\""},
                    Read{"\"\\xff\"", "\"\\xff\""}, Read{"\"\\n\\t\"", "\"\\n\\x09\""}));

INSTANTIATE_TEST_SUITE_P(
    Selectors, Reads,
    testing::Values(
        Read{"up", "up"}, Read{"up{}", "up"}, Read{"a:b:c", "a:b:c"}, Read{":x", ":x"},
        Read{"up{job=\"a\",}", "up{job=\"a\"}"},
        Read{" up { job = 'a' , x != \"b\" , y =~ `c.*` , z !~ \"d\" } # all",
             "up{job=\"a\",x!=\"b\",y=~\"c.*\",z!~\"d\"}"},
        Read{"{__name__=~\".+\"}", "{__name__=~\".+\"}"}, Read{"{by=\"x\"}", "{by=\"x\"}"},
        Read{"{inf=\"x\"}", "{inf=\"x\"}"}, Read{"sum", "sum"}, Read{"by{a=\"b\"}", "by{a=\"b\"}"},
        Read{"and and or", "and and or"}, Read{"offset offset 5m", "offset offset 5m"},
        Read{"start + end", "start + end"}, Read{"up[5m]", "up[5m]"},
        Read{"up[1h30m]", "up[1h30m]"}, Read{"up[1y2w3d4h5m6s7ms]", "up[382d4h5m6s7ms]"},
        Read{"up[5m] offset 1h", "up[5m] offset 1h"}, Read{"up offset -5m", "up offset -5m"},
        Read{"up @ 1609746000", "up @ 1609746000.000"}, Read{"up @ -1.5", "up @ -1.500"},
        // Prometheus' bound is that of int64 on seconds: its own milliseconds are beyond it then.
        Read{"up @ 9223372036854774784", "up @ 9223372036854775.807"},
        Read{"up @ -1e17", "up @ -9223372036854775.807"},
        Read{"up @ 9.2e15", "up @ 9200000000000000.000"}, Read{"up @ start()", "up @ start()"},
        Read{"up @ end ( ) offset 1m", "up @ end() offset 1m"},
        Read{"up offset 1m @ 5", "up @ 5.000 offset 1m"}, Read{"up[5m:1m]", "up[5m:1m]"},
        Read{"up[5m:]", "up[5m:]"},
        Read{"up offset 1m [5m:1m] @ end() offset 2m", "up offset 1m[5m:1m] @ end() offset 2m"},
        Read{"min_over_time(rate(x[5m])[1h:1m])[2h:5m]",
             "min_over_time(rate(x[5m])[1h:1m])[2h:5m]"}));

INSTANTIATE_TEST_SUITE_P(
    Operators, Reads,
    testing::Values(Read{"1+2*3", "1 + 2 * 3"}, Read{"(1+2)*3", "(1 + 2) * 3"},
                    Read{"2^3^2", "2 ^ 3 ^ 2"}, Read{"-1^2", "-1 ^ 2"},
                    Read{"2^-1*3", "2 ^ -1 * 3"}, Read{"--1", "--1"}, Read{"+-a", "+-a"},
                    Read{"-a offset 5m", "-a offset 5m"},
                    Read{"a and b or c unless d", "a and b or c unless d"},
                    Read{"a AND b", "a and b"}, Read{"a > b", "a > b"},
                    Read{"a > bool 1", "a > bool 1"}, Read{"1 == bool 2", "1 == bool 2"},
                    Read{"a >= b <= c != d == e < f", "a >= b <= c != d == e < f"},
                    Read{"a % b atan2 c / d", "a % b atan2 c / d"},
                    Read{"a * on(x) b", "a * on (x) b"}, Read{"a * on() b", "a * on () b"},
                    Read{"a * ignoring(x, y,) group_left b", "a * ignoring (x, y) group_left () b"},
                    Read{"a * on(x) group_right(y) b", "a * on (x) group_right (y) b"},
                    Read{"a * on(x) group_left() (b)", "a * on (x) group_left () (b)"},
                    Read{"a > bool on(by, sum, bool) b", "a > bool on (by, sum, bool) b"},
                    Read{"a\n+\n b", "a + b"}));

INSTANTIATE_TEST_SUITE_P(
    Calls, Reads,
    testing::Values(
        Read{"time()", "time()"}, Read{"rate(x[5m])", "rate(x[5m])"}, Read{"rate", "rate"},
        Read{"round(x)", "round(x)"}, Read{"round(x, 5)", "round(x, 5)"}, Read{"hour()", "hour()"},
        Read{"hour(x)", "hour(x)"},
        Read{"label_replace(up, 'a', '$1', 'b', '(.*)')",
             "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")"},
        Read{"label_join(up, 'a', ',')", "label_join(up, \"a\", \",\")"},
        Read{"label_join(up, 'a', ',', 'b', 'c')", "label_join(up, \"a\", \",\", \"b\", \"c\")"},
        Read{"histogram_quantile(0.9, sum(rate(x[5m])) by (le))",
             "histogram_quantile(0.9, sum by (le) (rate(x[5m])))"},
        Read{"sum(x)", "sum(x)"}, Read{"SUM BY (a) (x)", "sum by (a) (x)"},
        Read{"sum without() (x)", "sum without () (x)"}, Read{"sum(x) by ()", "sum by () (x)"},
        Read{"topk(5, x)", "topk(5, x)"}, Read{"topk(scalar(y), x)", "topk(scalar(y), x)"},
        Read{"count_values(\"v\", x) without (a, b)", "count_values without (a, b) (\"v\", x)"},
        Read{"quantile(0.5, x)", "quantile(0.5, x)"}, Read{"sum(sum)", "sum(sum)"},
        Read{"avg(system_cpu_usage{customer_id=\"cliente-a\"}) by (node_id)",
             "avg by (node_id) (system_cpu_usage{customer_id=\"cliente-a\"})"},
        Read{"count(up{job=\"customer-agents\"} == 1) by (customer_id)",
             "count by (customer_id) (up{job=\"customer-agents\"} == 1)"},
        Read{"label_replace(up,\"customer_id\",\"A\",\"\",\"\") or max_over_time(up{job=\"x\"}"
             "[5m:1m] offset 1h) or absent(up{customer_id=\"B\"}) or {__name__=~\".+\"} @ end()",
             "label_replace(up, \"customer_id\", \"A\", \"\", \"\") or max_over_time(up{job=\"x\"}"
             "[5m:1m] offset 1h) or absent(up{customer_id=\"B\"}) or {__name__=~\".+\"} @ end()"}));

struct Refused {
  const char* text;
  const char* position;
  const char* reason;
};

class Refuses : public testing::TestWithParam<Refused> {};

TEST_P(Refuses, NamesPlaceAndReason) {
  const Refused& wanted = GetParam();
  for (const Dialect dialect : {Dialect::kPrometheus2, Dialect::kPrometheus3}) {
    const auto expr = parse(wanted.text, dialect);
    ASSERT_FALSE(expr.has_value()) << wanted.text << " became " << print(**expr);
    EXPECT_EQ(expr.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(expr.error().message, StartsWith(std::string(wanted.position) + ": parse error: "))
        << wanted.text;
    EXPECT_THAT(expr.error().message, HasSubstr(wanted.reason)) << wanted.text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, Refuses,
    testing::Values(
        Refused{"", "1:1", "no expression"}, Refused{"# only", "1:1", "no expression"},
        Refused{"up up", "1:4", "unexpected \"up\""}, Refused{"(up", "1:4", "left parenthesis"},
        Refused{"up)", "1:3", "right parenthesis"}, Refused{"up{", "1:4", "inside braces"},
        Refused{"up{a}", "1:5", "expected =, !=, =~ or !~"},
        Refused{"up{a=b}", "1:6", "expected a string"}, Refused{"up{a=\"b\"", "1:9", "braces"},
        Refused{"up{a==\"b\"}", "1:6", "expected a string"},
        Refused{"up{,}", "1:4", "expected a label"},
        Refused{"up{a=\"b\" c=\"d\"}", "1:10", "expected \",\" or \"}\""},
        Refused{"up{1a=\"b\"}", "1:4", "character inside braces"},
        Refused{"up{a:b=\"c\"}", "1:5", "character inside braces"},
        Refused{"up{a!b}", "1:5", "after '!'"}, Refused{"up[5m", "1:6", "left bracket"},
        Refused{"up[]", "1:4", "expected a duration"}, Refused{"up[5m]]", "1:7", "right bracket"},
        Refused{"up[[5m]]", "1:4", "left bracket"}, Refused{"up[0s]", "1:4", "greater than 0"},
        Refused{"up[-5m]", "1:4", "duration"}, Refused{"up[5m:0s]", "1:7", "greater than 0"},
        Refused{"up[1m1h]", "1:4", "bad number"},
        Refused{"up[5m][5m]", "1:1", "ranges only allowed"},
        Refused{"sum(up)[5m]", "1:1", "ranges only allowed"},
        Refused{"(up)[5m]", "1:1", "ranges only allowed"},
        Refused{"up offset 5m [5m]", "1:1", "before range"},
        Refused{"up @ 5 [5m]", "1:1", "before range"},
        Refused{"up offset", "1:10", "unexpected end of input in offset"},
        Refused{"up offset 1m offset 2m", "1:14", "multiple times"},
        Refused{"up @ 1 @ 2", "1:8", "multiple times"}, Refused{"up @ now()", "1:6", "timestamp"},
        Refused{"up @ start", "1:11", "unexpected end"},
        Refused{"up @ 9223372036854775808", "1:6", "out of bounds"},
        Refused{"up @ -1e19", "1:7", "out of bounds"}, Refused{"up @ Inf", "1:6", "out of bounds"},
        Refused{"up @ NaN", "1:6", "out of bounds"}, Refused{"1 offset 5m", "1:3", "preceded by"},
        Refused{"sum(up) offset 5m", "1:9", "preceded by"},
        Refused{"(up) @ 5", "1:6", "preceded by"}, Refused{"1 +", "1:4", "unexpected end"},
        Refused{"* 1", "1:1", "unexpected \"*\""}, Refused{"a = b", "1:3", "after '='"},
        Refused{"a =~ b", "1:3", "after '='"}, Refused{"a ! b", "1:3", "after '!'"},
        Refused{"a & b", "1:3", "unexpected character"},
        Refused{"a; b", "1:2", "unexpected character"}, Refused{"1x", "1:1", "bad number"},
        Refused{"0x", "1:1", "bad number"}, Refused{"1.2.3", "1:1", "bad number"},
        Refused{"1e", "1:1", "bad number"}, Refused{"1e999", "1:1", "bad number"},
        Refused{"0xFFFFFFFFFFFFFFFFF", "1:1", "bad number"},
        Refused{"\"a", "1:1", "unterminated quoted"}, Refused{"'a\nb'", "1:1", "unterminated"},
        Refused{"`a", "1:1", "unterminated raw"}, Refused{"\"\\q\"", "1:1", "bad escape"},
        Refused{"\"\\ud800\"", "1:1", "bad escape"}, Refused{"\"\\'\"", "1:1", "bad escape"},
        Refused{"\"\xff\"", "1:1", "invalid UTF-8"},
        Refused{"a\nb\n+ +", "2:1", "unexpected \"b\""},
        Refused{"a +\n\n  )", "3:3", "right parenthesis"}));

INSTANTIATE_TEST_SUITE_P(
    Meaning, Refuses,
    testing::Values(
        Refused{"nope(x)", "1:1", "unknown function with name \"nope\""},
        Refused{"a + nope(x)", "1:5", "unknown function"}, Refused{"Rate(x[5m])", "1:1", "unknown"},
        Refused{"rate(x)", "1:6", "expected type range vector"},
        Refused{"abs(x[5m])", "1:5", "expected type instant vector"},
        Refused{"abs(1)", "1:5", "expected type instant vector"},
        Refused{"abs()", "1:1", "expected exactly 1"}, Refused{"abs(x, y)", "1:1", "at most 1"},
        Refused{"round()", "1:1", "at least 1"}, Refused{"round(x, 1, 2)", "1:1", "at most 2"},
        Refused{"hour(x, y)", "1:1", "at most 1"}, Refused{"time(1)", "1:1", "at most 0"},
        Refused{"label_join(up, 'a')", "1:1", "at least 3"},
        Refused{"label_replace(up, 'a', 1, 'b', 'c')", "1:24", "expected type string"},
        Refused{"label_replace(up, 'a', 'b', 'c', '(')", "1:34", "a regex that cannot be read"},
        Refused{"label_replace(up, 'a', 'b', 'c', `\\C`)", "1:34", "a regex that cannot be read"},
        Refused{"up{a=~`\\C`}", "1:1", "a regex that cannot be read in label matching"},
        Refused{"up{a!~`\\Qx`}", "1:1", "a regex that cannot be read in label matching"},
        Refused{"abs(x,)", "1:7", "trailing commas"}, Refused{"abs(x", "1:6", "parenthesis"},
        Refused{"sum()", "1:1", "expected 1, got 0"},
        Refused{"sum(1, x)", "1:1", "expected 1, got 2"},
        Refused{"topk(x)", "1:1", "expected 2, got 1"}, Refused{"sum(1)", "1:5", "instant vector"},
        Refused{"topk(x, x)", "1:6", "expected type scalar"},
        Refused{"count_values(1, x)", "1:14", "expected type string"},
        Refused{"sum by (a) (x) by (b)", "1:16", "unexpected \"by\""},
        Refused{"sum by x", "1:8", "expected \"(\""}, Refused{"sum by (1) (x)", "1:9", "a label"},
        Refused{"sum by (a b) (x)", "1:11", "expected \",\""},
        Refused{"by(x)", "1:3", "unexpected \"(\""}, Refused{"on", "1:1", "unexpected \"on\""},
        Refused{"bool", "1:1", "unexpected \"bool\""}, Refused{"1 > 2", "1:3", "must use BOOL"},
        Refused{"a + bool b", "1:3", "bool modifier"}, Refused{"a and 1", "1:3", "set operator"},
        Refused{"1 or 2", "1:3", "set operator"},
        Refused{"a and on(x) group_left b", "1:3", "no grouping"},
        Refused{"a * on(x) group_left(x) b", "1:3", "at once"},
        Refused{"a + on(x) 1", "1:3", "between instant vectors"},
        Refused{"a + 'b'", "1:5", "only scalar and instant vector"},
        Refused{"a[5m] + b", "1:1", "only scalar and instant vector"},
        Refused{"-'a'", "1:1", "unary expression"}, Refused{"-a[5m]", "1:1", "unary expression"},
        Refused{"{}", "1:1", "at least one non-empty matcher"},
        Refused{"{a=\"\"}", "1:1", "non-empty matcher"}, Refused{"{a=~\".*\"}", "1:1", "non-empty"},
        Refused{"{a=~\"b|\"}", "1:1", "non-empty"}, Refused{"{a=~\"b||c\"}", "1:1", "non-empty"},
        Refused{"{a=~\"(b)?\"}", "1:1", "non-empty"}, Refused{"{a!~\".+\"}", "1:1", "non-empty"},
        Refused{"{a!=\"b\"}", "1:1", "non-empty matcher"},
        Refused{"{a!~\"b\"}", "1:1", "non-empty matcher"},
        Refused{"up{__name__=\"x\"}", "1:1", "must not be set twice"},
        Refused{"up{a=~\"(\"}", "1:1", "regex"}, Refused{"up[5m:1m][5m:1m]", "1:1", "subquery"},
        Refused{"1[5m:1m]", "1:1", "subquery is only allowed"}));

TEST(Dialects, NewWordsAndSpellingsAreOf3Only) {
  const std::vector<Read> texts{
      {"1_000", "1000"},
      {"1h30m", "1h30m"},
      {"up[300]", "up[5m]"},
      {"up offset 0.5", "up offset 500ms"},
      {"up[0x10:1]", "up[16s:1s]"},
      {"{\"x.y\"}", "{\"x.y\"}"},
      {"{\"up\"}", "{\"up\"}"},
      {"{\"bool\", a=\"b\"}", "{\"bool\",a=\"b\"}"},
      {"{\"x.y\",\"a.b\"=\"c\"}", "{\"x.y\",\"a.b\"=\"c\"}"},
      {"up{\"a\"=\"c\"}", "up{a=\"c\"}"},
      {"sum by (\"a.b\", c) (up)", "sum by (\"a.b\", c) (up)"},
      {"a * on (\"x.y\") group_left (\"z\") b", "a * on (\"x.y\") group_left (z) b"},
      {"sum by (a:b) (up)", "sum by (\"a:b\") (up)"},
      {"up @ 1h", "up @ 3600.000"},
      {"up offset 0s", "up offset 0s"},
      {"limitk(3, up)", "limitk(3, up)"},
      {"histogram_avg(up)", "histogram_avg(up)"},
      {"double_exponential_smoothing(x[5m], 0.5, 0.5)",
       "double_exponential_smoothing(x[5m], 0.5, 0.5)"}};
  for (const Read& text : texts) {
    EXPECT_EQ(canonical(text.text, Dialect::kPrometheus3), text.printed);
    EXPECT_FALSE(parse(text.text, Dialect::kPrometheus2).has_value()) << text.text;
  }
  EXPECT_TRUE(parse("holt_winters(x[5m], 0.5, 0.5)", Dialect::kPrometheus2).has_value());
  EXPECT_FALSE(parse("holt_winters(x[5m], 0.5, 0.5)", Dialect::kPrometheus3).has_value());
}

TEST(Dialects, TheSecondArgumentOfInfoSaysWhichLabels) {
  for (const auto* text : {"info(up)", "info(up, {})", "info(up, {a=~\".*\"})",
                           "info(up, {__name__=\"x_info\",a=\"b\"})", "info(up, {\"x\"})"}) {
    EXPECT_EQ(canonical(text, Dialect::kPrometheus3).substr(0, 5), "info(") << text;
  }
  for (const auto* text :
       {"info()", "info(up, x)", "info(up, x{a=\"b\"})", "info(up, {a=\"b\"}[5m])",
        "info(up, ({a=\"b\"}))", "info(up, -{a=\"b\"})", "info({}, {})", "info(up, {}, {})",
        "info(up, {} + {})"}) {
    EXPECT_FALSE(parse(text, Dialect::kPrometheus3).has_value()) << text;
  }
}

TEST(Dialects, QuotedNamesAreCheckedToo) {
  for (const auto* text : {"{\"\"}", "up{\"x\"}", "{\"x\",\"y\"}", "{\"x\",__name__=\"y\"}",
                           "{\"\\xff\"}", "sum by (\"\") (x)", "up[1_]", "1__0", "up[Inf]"}) {
    EXPECT_FALSE(parse(text, Dialect::kPrometheus3).has_value()) << text;
  }
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Limits, LargeInputIsRefusedAndNotRecursedInto) {
  const std::vector<std::string> inputs{
      repeated("(", 100'000) + "up" + repeated(")", 100'000),
      repeated("-", 100'000) + "up",
      "up" + repeated(" + up", 2'000),
      "1" + repeated("^1", 10'000),
      "sum by (" + repeated("a,", 10'000) + ") (up)",
      "up{" + repeated("a=\"b\",", 10'000) + "}",
      repeated("abs(", 10'000) + "up",
      "\"" + std::string(kLengthMax, 'x') + "\"",
  };
  for (const std::string& input : inputs) {
    const auto expr = parse(input, Dialect::kPrometheus3);
    ASSERT_FALSE(expr.has_value()) << input.substr(0, 20);
    EXPECT_EQ(expr.error().code, ErrorCode::kTooLarge) << expr.error().message;
  }
}

std::string matchers(std::string_view regex, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += "l" + std::to_string(i) + "=~`" + std::string(regex) + std::to_string(i) + "`,";
  }
  return "up{" + all + "}";
}

// 400 of the first held a router of two cores for minutes, and with it every customer.
TEST(Limits, RegexesThatAreCheapToWriteAndDearToReadAreRefused) {
  const std::vector<std::string> inputs{
      matchers("\\pL{300}", 1),
      matchers("\\pL{20}", 400),
      matchers("(a?){200}", 4'000),
      "up{a=~`" + repeated("\\pL{0}", 9'000) + "`}",
      "up{a=~`" + repeated("(?i)[a-\\x{10ffff}]{0}", 5'000) + "`}",
      "up{a=~`" + repeated("(ab)", 50'000) + "`}",
      "label_replace(up, 'a', 'b', 'c', `" + repeated("\\pL{0}", 9'000) + "`)",
  };
  for (const std::string& input : inputs) {
    const auto expr = parse(input, Dialect::kPrometheus3);
    ASSERT_FALSE(expr.has_value()) << input.substr(0, 60);
    EXPECT_EQ(expr.error().code, ErrorCode::kTooLarge) << expr.error().message;
    EXPECT_THAT(expr.error().message, HasSubstr("regexes"));
  }
}

TEST(Limits, SelectorsOfOneRequestShareTheRegexes) {
  const std::vector<std::string> texts(64, matchers("\\pL{4}", 2));
  const auto selectors = parse_series_selectors(texts, Dialect::kPrometheus3);
  ASSERT_FALSE(selectors.has_value());
  EXPECT_EQ(selectors.error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(parse_series_selectors({texts.front()}, Dialect::kPrometheus3).has_value());
}

TEST(Limits, ListsOfNamesMayBeLong) {
  const std::string list = repeated("prod\\.web-01\\.example\\.org|", 5'000) + "x";
  EXPECT_TRUE(parse("up{a=~`" + list + "`}", Dialect::kPrometheus3).has_value());
  EXPECT_FALSE(parse("{a=~`" + list + "|`}", Dialect::kPrometheus3).has_value());  // takes empty
  EXPECT_TRUE(parse("up{a=~`(" + repeated("web-01|", 2'000) + "x)`}", Dialect::kPrometheus3));
}

TEST(Limits, WhatPeopleWritePasses) {
  EXPECT_TRUE(parse("up" + repeated(" or up", 500), Dialect::kPrometheus2).has_value());
  EXPECT_TRUE(parse(repeated("(", 100) + "up" + repeated(")", 100), Dialect::kPrometheus2));
  EXPECT_TRUE(parse("up{a=~\"" + repeated("node-0001|", 5'000) + "\"}", Dialect::kPrometheus2));
}

TEST(SeriesSelector, TakesOnlyPlainSelectors) {
  const auto selectors = parse_series_selectors({"up{job=\"x\"}", "a"}, Dialect::kPrometheus2);
  ASSERT_TRUE(selectors.has_value());
  ASSERT_EQ(selectors->size(), 2U);
  EXPECT_EQ(selectors->front().name, "up");
  for (const auto* text : {"up[5m]", "up offset 5m", "up @ 5", "up anchored", "sum(up)", "1",
                           "(up)", "up + up", "{}", "", "up offset 0s"}) {
    EXPECT_FALSE(parse_series_selectors({"up", text}, Dialect::kPrometheus3).has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::promql
