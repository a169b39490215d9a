#include "libs/logql/parser.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/printer.hpp"

namespace vigia::logql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Read {
  const char* text;
  const char* printed;
};

class ReadsLogs : public ::testing::TestWithParam<Read> {};

TEST_P(ReadsLogs, AndPrintsWhatReadsBackTheSame) {
  const auto expr = parse_logs(GetParam().text);
  ASSERT_TRUE(expr.has_value()) << GetParam().text << ": " << expr.error().message;
  const std::string printed = print(**expr);
  EXPECT_EQ(printed, GetParam().printed);
  const auto again = parse_logs(printed);
  ASSERT_TRUE(again.has_value()) << printed << ": " << again.error().message;
  EXPECT_EQ(print(**again), printed);
}

INSTANTIATE_TEST_SUITE_P(
    Selectors, ReadsLogs,
    ::testing::Values(Read{"{a=\"b\"}", "{a=\"b\"}"}, Read{"{ a = \"b\" , }", "{a=\"b\"}"},
                      Read{"{a=`b\\d`,c!=\"\",d=~\"x|y\",e!~\".*z\"}",
                           "{a=\"b\\\\d\",c!=\"\",d=~\"x|y\",e!~\".*z\"}"},
                      Read{"# what\n{by=\"json\", or=\"and\"} # here\n",
                           "{by=\"json\",or=\"and\"}"},
                      Read{"({a=\"b\"})", "({a=\"b\"})"},
                      Read{"{a=\"\\u00f1\"}", "{a=\"\xC3\xB1\"}"},
                      Read{"{customer_id=\"cliente-b\"}", "{customer_id=\"cliente-b\"}"}));

INSTANTIATE_TEST_SUITE_P(Lines, ReadsLogs,
                         ::testing::Values(Read{"{a=\"b\"}|=\"x\"!=\"y\"|~\"z+\"!~\"[w]\"",
                                                "{a=\"b\"} |= \"x\" != \"y\" |~ \"z+\" !~ \"[w]\""},
                                           Read{"{a=\"b\"} |= \"x\" or \"y\" or `z`",
                                                "{a=\"b\"} |= \"x\" or \"y\" or \"z\""},
                                           Read{"{a=\"b\"} |= ip(\"10.0.0.0/8\") or \"x\"",
                                                "{a=\"b\"} |= ip(\"10.0.0.0/8\") or \"x\""},
                                           Read{"{a=\"b\"} |> \"<_> took <_>\" !> \"<_>ok\"",
                                                "{a=\"b\"} |> \"<_> took <_>\" !> \"<_>ok\""},
                                           Read{"{a=\"b\"} |= \"\"", "{a=\"b\"} |= \"\""}));

INSTANTIATE_TEST_SUITE_P(
    Stages, ReadsLogs,
    ::testing::Values(
        Read{"{a=\"b\"}|json", "{a=\"b\"} | json"},
        Read{"{a=\"b\"} | json x=\"y.z[0]\", w", "{a=\"b\"} | json x=\"y.z[0]\", w"},
        Read{"{a=\"b\"} | json w=\"w\"", "{a=\"b\"} | json w"},
        Read{"{a=\"b\"} | logfmt", "{a=\"b\"} | logfmt"},
        Read{"{a=\"b\"} | logfmt --keep-empty --strict x, y=\"z\"",
             "{a=\"b\"} | logfmt --strict --keep-empty x, y=\"z\""},
        Read{"{a=\"b\"} | regexp `(?P<x>\\d+)` | pattern \"<ip> <_>\" | unpack | decolorize",
             "{a=\"b\"} | regexp \"(?P<x>\\\\d+)\" | pattern \"<ip> <_>\" | unpack | decolorize"},
        Read{"{a=\"b\"} | line_format \"{{.x}}\" | label_format x=y, z=\"{{.w}}\"",
             "{a=\"b\"} | line_format \"{{.x}}\" | label_format x=y, z=\"{{.w}}\""},
        Read{"{a=\"b\"} | drop x, y=\"z\", w=~\"v.*\" | keep level",
             "{a=\"b\"} | drop x, y=\"z\", w=~\"v.*\" | keep level"},
        Read{"{a=\"b\"} |= \"x\" | json |= \"y\"", "{a=\"b\"} |= \"x\" | json |= \"y\""}));

INSTANTIATE_TEST_SUITE_P(
    Conditions, ReadsLogs,
    ::testing::Values(
        Read{"{a=\"b\"} | x=\"y\"", "{a=\"b\"} | x=\"y\""},
        Read{"{a=\"b\"} | x != \"y\" | z =~ \"w.+\" | v !~ \"u\"",
             "{a=\"b\"} | x!=\"y\" | z=~\"w.+\" | v!~\"u\""},
        Read{"{a=\"b\"} | n = 5 | n == 5 | n != 5 | n > 0.5 | n >= 1e3 | n < -2 | n <= 3",
             "{a=\"b\"} | n == 5 | n == 5 | n != 5 | n > 0.5 | n >= 1000 | n < -2 | n <= 3"},
        Read{"{a=\"b\"} | d > 1m30s | d < 1.5h | d >= 250us",
             "{a=\"b\"} | d > 1m30s | d < 1h30m | d >= 250us"},
        Read{"{a=\"b\"} | s > 20KB | s <= 1.5MiB", "{a=\"b\"} | s > 20000B | s <= 1572864B"},
        Read{"{a=\"b\"} | x = ip(\"10.0.0.1\") | y != ip(\"::1\")",
             "{a=\"b\"} | x=ip(\"10.0.0.1\") | y!=ip(\"::1\")"},
        Read{"{a=\"b\"} | x=\"1\" and y=\"2\" or z=\"3\"",
             "{a=\"b\"} | x=\"1\" and y=\"2\" or z=\"3\""},
        Read{"{a=\"b\"} | x=\"1\" or y=\"2\" and z=\"3\"",
             "{a=\"b\"} | x=\"1\" or y=\"2\" and z=\"3\""},
        Read{"{a=\"b\"} | (x=\"1\" or y=\"2\") and z=\"3\"",
             "{a=\"b\"} | (x=\"1\" or y=\"2\") and z=\"3\""},
        Read{"{a=\"b\"} | x=\"1\" and (y=\"2\" and z=\"3\") or (w=\"4\" or v=\"5\")",
             "{a=\"b\"} | x=\"1\" and (y=\"2\" and z=\"3\") or (w=\"4\" or v=\"5\")"},
        Read{"{a=\"b\"} | ((x=\"1\"))", "{a=\"b\"} | x=\"1\""},
        Read{"{a=\"b\"} | x=\"1\", y=\"2\" z=\"3\" (w=\"4\")",
             "{a=\"b\"} | x=\"1\" and y=\"2\" and z=\"3\" and w=\"4\""},
        Read{"{a=\"b\"} | json_x=\"1\" | unwrapped=\"2\"",
             "{a=\"b\"} | json_x=\"1\" | unwrapped=\"2\""}));

INSTANTIATE_TEST_SUITE_P(
    Ranges, ReadsLogs,
    ::testing::Values(
        Read{"rate({a=\"b\"}[5m])", "rate({a=\"b\"}[5m])"},
        Read{"count_over_time({a=\"b\"}[5m]|=\"x\"|json)",
             "count_over_time({a=\"b\"} |= \"x\" | json[5m])"},
        Read{"bytes_rate(({a=\"b\"} |= \"x\")[1h])", "bytes_rate({a=\"b\"} |= \"x\"[1h])"},
        Read{"bytes_over_time((({a=\"b\"}[1h])))", "bytes_over_time({a=\"b\"}[1h])"},
        Read{"absent_over_time({a=\"b\"}[90s] offset 1d)",
             "absent_over_time({a=\"b\"}[1m30s] offset 1d)"},
        Read{"rate({a=\"b\"} | json [1m] offset -5m)", "rate({a=\"b\"} | json[1m] offset -5m)"},
        Read{"sum_over_time({a=\"b\"} | unwrap x[1m])", "sum_over_time({a=\"b\"} | unwrap x[1m])"},
        Read{"max_over_time({a=\"b\"} | json | unwrap duration(x) | __error__=\"\" [1m]) by (y)",
             "max_over_time({a=\"b\"} | json | unwrap duration(x) | __error__=\"\"[1m]) by (y)"},
        Read{"avg_over_time({a=\"b\"} | unwrap bytes(x) [1m]) without (y, z)",
             "avg_over_time({a=\"b\"} | unwrap bytes(x)[1m]) without (y, z)"},
        Read{"quantile_over_time(0.99, {a=\"b\"} | unwrap duration_seconds(x) [1m])",
             "quantile_over_time(0.99, {a=\"b\"} | unwrap duration_seconds(x)[1m])"},
        Read{"rate({a=\"b\"} | unwrap x [1m])", "rate({a=\"b\"} | unwrap x[1m])"}));

INSTANTIATE_TEST_SUITE_P(
    Metrics, ReadsLogs,
    ::testing::Values(
        Read{"sum(rate({a=\"b\"}[5m]))", "sum(rate({a=\"b\"}[5m]))"},
        Read{"sum by (x,y) (rate({a=\"b\"}[5m]))", "sum by (x, y) (rate({a=\"b\"}[5m]))"},
        Read{"sum(rate({a=\"b\"}[5m])) without (x)", "sum without (x) (rate({a=\"b\"}[5m]))"},
        Read{"topk(3, sum by (x) (rate({a=\"b\"}[5m])))",
             "topk(3, sum by (x) (rate({a=\"b\"}[5m])))"},
        Read{"sort_desc(bottomk by (x) (1, rate({a=\"b\"}[5m])))",
             "sort_desc(bottomk by (x) (1, rate({a=\"b\"}[5m])))"},
        Read{"rate({a=\"b\"}[5m]) > 5", "rate({a=\"b\"}[5m]) > 5"},
        Read{"rate({a=\"b\"}[5m]) > bool -0.5", "rate({a=\"b\"}[5m]) > bool -0.5"},
        Read{"1 + 2 * 3 ^ 2 ^ 2", "1 + 2 * 3 ^ 2 ^ 2"}, Read{"(1+2)*3", "(1 + 2) * 3"},
        Read{"rate({a=\"b\"}[5m]) or vector(0)", "rate({a=\"b\"}[5m]) or vector(0)"},
        Read{"rate({a=\"b\"}[5m])/on(x)group_left(y)rate({c=\"d\"}[5m])",
             "rate({a=\"b\"}[5m]) / on (x) group_left (y) rate({c=\"d\"}[5m])"},
        Read{"rate({a=\"b\"}[5m]) and ignoring(x) rate({c=\"d\"}[5m]) unless vector(-1)",
             "rate({a=\"b\"}[5m]) and ignoring (x) rate({c=\"d\"}[5m]) unless vector(-1)"},
        Read{"label_replace(rate({a=\"b\"}[1m]), \"x\", \"$1\", \"y\", \"(.*)\")",
             "label_replace(rate({a=\"b\"}[1m]), \"x\", \"$1\", \"y\", \"(.*)\")"}));

struct Refused {
  const char* text;
  const char* position;
  const char* reason;
};

class RefusesLogs : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusesLogs, NamesPlaceAndReason) {
  const auto expr = parse_logs(GetParam().text);
  ASSERT_FALSE(expr.has_value()) << GetParam().text << " became " << print(**expr);
  EXPECT_EQ(expr.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(expr.error().message, StartsWith(std::string(GetParam().position) + ": parse error"))
      << GetParam().text;
  EXPECT_THAT(expr.error().message, HasSubstr(GetParam().reason)) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, RefusesLogs,
    ::testing::Values(
        Refused{"", "1:1", "no expression"}, Refused{"# only", "1:1", "no expression"},
        Refused{"{a=\"b\"", "1:7", "unexpected end"}, Refused{"{a=\"b\"}}", "1:8", "unexpected"},
        Refused{"{a}", "1:3", "expected ="}, Refused{"{a=b}", "1:4", "expected a string"},
        Refused{"{a='b'}", "1:4", "unexpected character"},
        Refused{"{a==\"b\"}", "1:3", "expected ="}, Refused{"{,}", "1:2", "expected a label"},
        Refused{"{a=\"b\" c=\"d\"}", "1:8", "expected \",\""},
        Refused{"up", "1:1", "unknown function"}, Refused{"{a=\"b\"} |", "1:10", "unexpected end"},
        Refused{"{a=\"b\"} | jsonx", "1:11", "unknown stage"},
        Refused{"{a=\"b\"} |= x", "1:12", "expected a string"},
        Refused{"{a=\"b\"} |= \"x\" or", "1:18", "unexpected end"},
        Refused{"{a=\"b\"} |~ ip(\"x\")", "1:12", "ip()"},
        Refused{"{a=\"b\"} | logfmt --quick", "1:18", "--strict"},
        Refused{"{a=\"b\"} | json x=", "1:18", "expected a string"},
        Refused{"{a=\"b\"} | json x,", "1:18", "expected a label"},
        Refused{"{a=\"b\"} | label_format x=y,x=z", "1:28", "twice"},
        Refused{"{a=\"b\"} | line_format x", "1:23", "expected a string"},
        Refused{"{a=\"b\"} | drop", "1:15", "expected a label"},
        Refused{"{a=\"b\"} | x > \"y\"", "1:15", "compares with"},
        Refused{"{a=\"b\"} | x =~ 5", "1:16", "expected a string"},
        Refused{"{a=\"b\"} | x > 5q", "1:15", "bad number"},
        Refused{"{a=\"b\"} | (x=\"1\"", "1:17", "unexpected end"},
        Refused{"{a=\"b\"} |= \"x", "1:12", "unterminated quoted"},
        Refused{"{a=\"b\"} |= `x", "1:12", "unterminated raw"},
        Refused{"{a=\"\\q\"}", "1:4", "bad escape"}, Refused{"{a=\"\xff\"}", "1:4", "UTF-8"},
        Refused{"{a=\"b\"}\n| json\n| !", "3:3", "unexpected character"}));

INSTANTIATE_TEST_SUITE_P(
    Meaning, RefusesLogs,
    ::testing::Values(
        Refused{"{}", "1:1", "one matcher at least"}, Refused{"{a=\"\"}", "1:1", "one matcher"},
        Refused{"{a=~\".*\"}", "1:1", "one matcher"}, Refused{"{a!=\"b\"}", "1:1", "one matcher"},
        Refused{"{a!~\"b\"}", "1:1", "one matcher"}, Refused{"{a=~\"(\"}", "1:1", "regex"},
        Refused{"{a=\"b\"} |~ \"(\"", "1:12", "regex"},
        Refused{"{a=\"b\"} | regexp \"(\"", "1:11", "regex"},
        Refused{"{a=\"b\"} | x=~\"(\"", "1:12", "regex"},
        Refused{"{a=\"b\"} | unwrap x", "1:1", "within a function"},
        Refused{"{a=\"b\"}[5m]", "1:8", "after a whole expression"},
        Refused{"rate({a=\"b\"})", "1:13", "expected \"[\""},
        Refused{"rate({a=\"b\"}[0s])", "1:13", "greater than 0"},
        Refused{"rate({a=\"b\"}[5])", "1:14", "expected a duration"},
        Refused{"rate({a=\"b\"}[5m][5m])", "1:17", "expected \")\""},
        Refused{"rate({a=\"b\"} | unwrap x | unwrap y [5m])", "1:25", "after unwrap"},
        Refused{"rate({a=\"b\"} | unwrap x |= \"y\" [5m])", "1:25", "after unwrap"},
        Refused{"count_over_time({a=\"b\"} | unwrap x [5m])", "1:1", "takes no unwrap"},
        Refused{"sum_over_time({a=\"b\"}[5m])", "1:1", "unwrap one"},
        Refused{"sum_over_time({a=\"b\"} | unwrap x [5m]) by (y)", "1:1", "no grouping"},
        Refused{"rate({a=\"b\"}[5m]) by (y)", "1:1", "no grouping"},
        Refused{"quantile_over_time({a=\"b\"} | unwrap x [5m])", "1:20", "expected a number"},
        Refused{"{a=\"b\"} | unwrap seconds(x)", "1:18", "duration()"},
        Refused{"sum({a=\"b\"})", "1:5", "a vector of samples"},
        Refused{"sum(1)", "1:5", "a vector of samples"},
        Refused{"topk(0, rate({a=\"b\"}[5m]))", "1:6", "whole number"},
        Refused{"topk(1.5, rate({a=\"b\"}[5m]))", "1:6", "whole number"},
        Refused{"sort by (x) (rate({a=\"b\"}[5m]))", "1:1", "no grouping"},
        Refused{"{a=\"b\"} + 1", "1:9", "count them first"},
        Refused{"1 or 2", "1:3", "set operator"}, Refused{"1 + bool 2", "1:3", "bool modifier"},
        Refused{"rate({a=\"b\"}[1m]) + on(x) 1", "1:19", "matching of labels"},
        Refused{"vector(x)", "1:8", "expected a number"},
        Refused{"label_replace({a=\"b\"}, \"x\", \"y\", \"z\", \"w\")", "1:15",
                "vector of samples"},
        Refused{"label_replace(vector(1), \"1\", \"y\", \"z\", \"w\")", "1:1",
                "no name of a label"},
        Refused{"variants(rate({a=\"b\"}[1m])) of ({a=\"b\"}[1m])", "1:1", "unknown function"}));

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(LogLimits, LargeInputIsRefusedAndNotRecursedInto) {
  const std::string logs = "{a=\"b\"}";
  const std::vector<std::string> inputs{
      repeated("(", 60'000),
      "rate(" + repeated("(", 60'000),
      repeated("sum(", 10'000),
      "1" + repeated(" + 1", 10'000),
      "1" + repeated("^1", 10'000),
      logs + " | " + repeated("(", 30'000),
      logs + " | x=\"1\"" + repeated(" or x=\"1\"", 5'000),
      logs + repeated("|=\"\"", 10'000),
      logs + " |= \"x\"" + repeated(" or \"x\"", 5'000),
      logs + " | json " + repeated("a,", 10'000) + "a",
      "sum by (" + repeated("a,", 10'000) + ") (rate(" + logs + "[1m]))",
      "{" + repeated("a=\"b\",", 5'000) + "}",
      logs + " |= \"" + std::string(kQueryBytesMax, 'x') + "\"",
  };
  for (const std::string& input : inputs) {
    const auto expr = parse_logs(input);
    ASSERT_FALSE(expr.has_value()) << input.substr(0, 40);
    EXPECT_EQ(expr.error().code, ErrorCode::kTooLarge) << expr.error().message;
  }
}

TEST(LogLimits, RegexesOfAQueryShareOneAllowance) {
  std::string all = "{a=\"b\"}";
  for (int i = 0; i < 100; ++i) all += " |~ `\\pL[x" + std::to_string(i) + "]{30}`";
  const auto expr = parse_logs(all);
  ASSERT_FALSE(expr.has_value());
  EXPECT_EQ(expr.error().code, ErrorCode::kTooLarge);
}

TEST(StreamSelectors, AreMatchersAlone) {
  EXPECT_TRUE(parse_stream_selectors({"{a=\"b\"}", "{c=~\"d.+\"}"}).has_value());
  for (const char* text : {"{a=\"b\"} |= \"x\"", "rate({a=\"b\"}[1m])", "({a=\"b\"})", "1"}) {
    const auto selectors = parse_stream_selectors({text});
    ASSERT_FALSE(selectors.has_value()) << text;
    EXPECT_EQ(selectors.error().code, ErrorCode::kInvalid) << text;
  }
}

}  // namespace
}  // namespace vigia::logql
