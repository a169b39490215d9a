#include "libs/logql/pipeline/line_template.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/logql/limits.hpp"

namespace vigia::logql::pipeline {
namespace {

using ::testing::HasSubstr;

/// The text, or "!" and why not.
std::string made(const std::string& text) {
  SelectorRegexes regexes;
  const auto compiled = LineTemplate::compile(text, regexes);
  if (!compiled) return "!!" + compiled.error().message;
  const Labels stream = Labels::from({{"a", "x y"}, {"n", "7"}, {"f", "2.5"}, {"d", "1m30s"}});
  LineLabels labels;
  labels.begin(stream, {});
  std::string out;
  LineWork work;
  const auto done = compiled->run({labels, "the line", 1'764'489'600'500'000'000, work}, out);
  return done ? out : "!" + done.error().message;
}

using Rows = std::vector<std::pair<std::string, std::string>>;

void expect_all(const Rows& rows) {
  for (const auto& [text, wanted] : rows) EXPECT_EQ(made(text), wanted) << text;
}

TEST(LineTemplate, TextsLabelsAndTheLine) {
  expect_all({{"", ""},
              {"plain } {", "plain } {"},
              {"{{.a}}-{{.none}}-{{ __line__ }}", "x y--the line"},
              {"{{\"q\\\"\"}}{{`r`}}{{5}}{{2.5}}{{true}}", "q\"r52.5true"},
              {"a {{- .n -}} b", "a7b"},
              {"a {{/* no */}}b", "a b"},
              {"{{__timestamp__}}", "2025-11-30 08:00:00.5 +0000 UTC"},
              {"{{__timestamp__ | unixEpoch}} {{unixEpochMillis __timestamp__}}",
               "1764489600 1764489600500"}});
}

TEST(LineTemplate, Conditions) {
  expect_all(
      {{"{{if .a}}yes{{else}}no{{end}}", "yes"},
       {"{{if .none}}yes{{else}}no{{end}}", "no"},
       {"{{if .none}}yes{{end}}", ""},
       {"{{if eq .n \"6\"}}six{{else if eq .n \"7\"}}seven{{else}}many{{end}}!", "seven!"},
       {"{{if and .a (not .none)}}{{if .n}}both{{end}}{{end}}", "both"},
       {"{{or .none .a}} {{and .a .none}} {{default \"dflt\" .none}}", "x y  dflt"},
       {"{{lt 1 2}} {{ge 2.5 2.5}} {{ne .a \"b\"}} {{eq .n \"1\" \"7\"}}", "true true true true"},
       {"{{lt .n 8}}", "!lt: incompatible types for comparison"},
       {"{{lt (int .n) 8}}", "true"}});
}

TEST(LineTemplate, Texts) {
  expect_all(
      {{"{{.a | ToUpper | printf \"%s!\"}}", "X Y!"},
       {"{{upper \"\xC3\xB1-\xC3\x97\xC3\xB7\"}}", "\xC3\x91-\xC3\x97\xC3\xB7"},
       {"{{lower \"\xC3\x91"
        "A\"}}",
        "\xC3\xB1"
        "a"},
       {"{{Replace .a \" \" \"-\" -1}} {{.a | replace \" \" \"+\"}}", "x-y x+y"},
       {"{{replace \"\" \"-\" \"ab\"}}", "-a-b-"},
       {"{{trunc 1 .a}} {{trunc -1 .a}} {{substr 1 3 \"abcd\"}} {{substr -1 2 \"abcd\"}}",
        "x y bc ab"},
       {"{{trim \" a \"}}{{trimAll \"$\" \"$5$\"}}{{trimPrefix \"-\" \"-b\"}}", "a5b"},
       {"{{Trim \"xxaxx\" \"x\"}}{{TrimLeft \"xb\" \"x\"}}{{TrimSuffix \"cx\" \"x\"}}", "abc"},
       {"{{contains \"x\" .a}} {{hasPrefix \"y\" .a}} {{hasSuffix \"y\" .a}}", "true false true"},
       {"{{repeat 3 \"ab\"}} {{alignLeft 4 \"ab\"}}| {{alignRight 4 \"ab\"}}", "ababab ab  |   ab"},
       {"{{alignLeft 1 \"ab\"}} {{alignRight 1 \"ab\"}}", "a b"},
       {"{{indent 2 \"a\\nb\"}}", "  a\n  b"},
       {"{{b64enc .a}} {{b64dec \"eCB5\"}} {{urlencode \"a b&\"}} {{urldecode \"a+b%26\"}}",
        "eCB5 x y a+b%26 a b&"},
       {"{{urldecode \"%zz\"}}", "!urldecode: a bad escape"},
       {"{{len .a}}", "3"}});
}

TEST(LineTemplate, Regexes) {
  expect_all({{"{{regexReplaceAll \"(\\\\w) (?P<l>\\\\w)\" .a \"${l}-$1$$\"}}", "y-x$"},
              {"{{regexReplaceAllLiteral \"x\" .a \"$1\"}}", "$1 y"},
              {"{{regexReplaceAll \"b*\" \"abc\" \"-\"}}", "-a-c-"},
              {"{{.a | count \"[xy]\"}} {{count \"\" \"ab\"}}", "2 3"}});
}

TEST(LineTemplate, Numbers) {
  expect_all({{"{{add .n 1 2}} {{sub .n 2}} {{mul 2 3 4}} {{div 7 2}} {{mod 7 4}}", "10 5 24 3 3"},
              {"{{addf .f 0.25}} {{subf 1.5 1}} {{mulf 2.5 2}} {{divf 1 4}}", "2.75 0.5 5 0.25"},
              {"{{max 1 3 2}} {{min 3 1 2}} {{maxf 1 2.5}} {{minf 1 2.5}}", "3 1 2.5 1"},
              {"{{ceil 1.2}} {{floor 1.8}} {{round 1.256 2}} {{int \"12\"}} {{float64 .f}}",
               "2 1 1.26 12 2.5"},
              {"{{div 1 0}}", "!div: division by zero"},
              {"{{mod 1 .none}}", "!mod: division by zero"},
              {"{{div -9223372036854775808 -1}}", "-9223372036854775808"},
              {"{{duration .d}} {{bytes \"2KB\"}} {{duration_seconds \"1s\"}}", "90 2000 1"},
              {"{{duration .a}}", "!duration: x y is no duration"},
              {"{{mulf 1e21 1}} {{addf 1e15 0.5}}", "1e+21 1000000000000000.5"},
              {"{{printf \"%5d|%-5d|%05d|%.2f|%v|%t|%%\" 42 42 -42 2.456 .n true}}",
               "   42|42   |-0042|2.46|7|true|%"},
              {"{{printf \"%d\" .n}}", "!printf: %d takes a whole number: write int before it"}});
}

TEST(LineTemplate, WhatIsNotKnownIsRefusedAtOnce) {
  const Rows rows{{"{{", "unclosed action"},
                  {"{{.a", "unclosed action"},
                  {"{{}}", "missing value"},
                  {"{{.}}", "unexpected"},
                  {"{{.a.b}}", "no members"},
                  {"{{$x := 1}}", "unexpected"},
                  {"{{range .a}}{{end}}", "range is not supported"},
                  {"{{with .a}}{{end}}", "with is not supported"},
                  {"{{now}}", "not defined"},
                  {"{{end}}", "unexpected {{end}}"},
                  {"{{else}}", "unexpected {{else}}"},
                  {"{{if .a}}", "without {{end}}"},
                  {"{{if .a}}{{else}}{{else}}{{end}}", "without {{end}}"},
                  {"{{upper}}", "wrong number of args"},
                  {"{{.a | .n}}", "no function"},
                  {"{{.a .n}}", "no function"},
                  {"{{upper lower .a}}", "needs parentheses"},
                  {"{{\"x}}", "unterminated"},
                  {"{{(.a}}", "unexpected"},
                  {"{{/* x}}", "unclosed comment"},
                  {"{{regexReplaceAll .a .a \"x\"}}", "has to be written as a text"},
                  {"{{regexReplaceAll \"(\" .a \"x\"}}", "regex"},
                  {"{{printf \"%x\" 1}}", "printf knows"},
                  {"{{printf \"%s\"}}", "0 values for 1 places"},
                  {"{{printf \"%9999d\" 1}}", "a width of"},
                  {"{{5x}}", "bad number"}};
  for (const auto& [text, why] : rows) {
    EXPECT_THAT(made(text), HasSubstr("!!parse error: invalid template")) << text;
    EXPECT_THAT(made(text), HasSubstr(why)) << text;
  }
  std::string deep;
  for (std::size_t i = 0; i < 60'000; ++i) deep += '(';
  EXPECT_THAT(made("{{" + deep), HasSubstr("nested too deep"));
}

TEST(LineTemplate, WhatItMakesIsBounded) {
  EXPECT_THAT(made("{{repeat 1000000000 \"abc\"}}"), HasSubstr("!a text of more than"));
  EXPECT_THAT(made("{{printf \"%1024d%1024d\" 1 2 | repeat 1000}}"), HasSubstr("!a text of more"));
  EXPECT_THAT(made("{{replace \"\" (repeat 1000 \"x\") (repeat 1000 \"y\")}}"),
              HasSubstr("!a text of more"));
  // Each of these took the product of what it was given, or more: seconds, minutes.
  EXPECT_THAT(made("{{count \"a*b|a\" (repeat 200000 \"a\")}}"), HasSubstr("!a regex has to look"));
  EXPECT_THAT(made("{{regexReplaceAll \"a*b|a\" (repeat 200000 \"a\") \"x\"}}"),
              HasSubstr("!a regex has to look"));
  EXPECT_EQ(made("{{contains (printf \"%sb\" (repeat 100000 \"a\")) (repeat 200000 \"a\")}}"),
            "false");
  EXPECT_EQ(made("{{trimAll (printf \"%sa\" (repeat 100000 \"b\")) (repeat 200000 \"a\")}}"), "");
  EXPECT_EQ(made("{{count \"a\" (repeat 2000 \"a\")}}"), "2000");
  std::string many;
  for (int i = 0; i < 200; ++i) many += "{{if eq (repeat 100000 \"x\") \"y\"}}z{{end}}";
  EXPECT_THAT(made(many), HasSubstr("!the templates have to look at"));
}

}  // namespace
}  // namespace vigia::logql::pipeline
