#include "libs/logql/pipeline/pipeline.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/pipeline/line_regex.hpp"

namespace vigia::logql::pipeline {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kTime = 1'764'489'600'500'000'000;  // 2025-11-30 08:00:00.5 UTC

const Labels& stream() {
  static const Labels labels = Labels::from({{"app", "shop"}, {"level", "info"}});
  return labels;
}

const std::vector<Label>& metadata() {
  static const std::vector<Label> labels{{"trace_id", "abc"}, {"level", "meta"}};
  return labels;
}

Result<Pipeline> pipeline_of(const std::string& stages) {
  const auto expr = parse_logs("rate({app=\"shop\"} " + stages + " [1m])");
  if (!expr) return forward(expr);
  return Pipeline::compile(std::get<RangeAggregation>((*expr)->node).logs);
}

/// What comes out: "-" where the line does not pass, else the line and the labels that stages made.
std::string passed(const std::string& stages, const std::string& line) {
  auto pipeline = pipeline_of(stages);
  EXPECT_TRUE(pipeline.has_value()) << stages << ": " << pipeline.error().message;
  if (!pipeline) return {};
  if (!pipeline->run({kTime, line, &stream(), metadata()})) return "-";
  const Labels parsed = pipeline->labels().parsed();
  return std::string(pipeline->text()) + (parsed.empty() ? "" : " " + to_string(parsed));
}

struct Row {
  const char* stages;
  const char* line;
  const char* out;
};

class RunsStages : public ::testing::TestWithParam<Row> {};

TEST_P(RunsStages, AndGivesLineAndLabels) {
  EXPECT_EQ(passed(GetParam().stages, GetParam().line), GetParam().out)
      << GetParam().stages << " over " << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(
    LineFilters, RunsStages,
    ::testing::Values(Row{"", "x", "x"}, Row{"|= \"b\"", "abc", "abc"}, Row{"|= \"B\"", "abc", "-"},
                      Row{"|= \"\"", "", ""}, Row{"|= \"x\"", "", "-"}, Row{"!= \"b\"", "abc", "-"},
                      Row{"!= \"x\"", "abc", "abc"}, Row{"|= \"x\" or \"b\"", "abc", "abc"},
                      Row{"!= \"x\" or \"b\"", "abc", "-"}, Row{"!= \"x\" or \"y\"", "abc", "abc"},
                      Row{"|~ \"^a.c$\"", "abc", "abc"}, Row{"|~ \"b\"", "abc", "abc"},
                      Row{"|~ \"(?i)B\"", "abc", "abc"}, Row{"|~ \"a.c\"", "a\nc", "-"},
                      Row{"!~ \"b|x\"", "abc", "-"}, Row{"!~ \"x\" |= \"a\"", "abc", "abc"},
                      Row{"|> \"<_> took <_>ms\"", "it took 5ms", "it took 5ms"},
                      Row{"|> \"<_> took <_>ms\"", "it took 5ms.", "-"},
                      Row{"|> \"<_>took\"", "took", "-"}, Row{"|> \"took <_>\"", "it took 5", "-"},
                      Row{"!> \"it <_>\"", "it took", "-"},
                      Row{"!> \"it <_>\"", "so it took", "so it took"},
                      Row{"|= ip(\"10.0.0.0/8\")", "from 10.1.2.3:80 to", "from 10.1.2.3:80 to"},
                      Row{"|= ip(\"10.0.0.0/8\")", "from 11.1.2.3.", "-"},
                      Row{"|= ip(\"10.0.0.1-10.0.0.9\")", "at 10.0.0.9.", "at 10.0.0.9."},
                      Row{"!= ip(\"10.0.0.1\")", "at 10.0.0.1", "-"},
                      Row{"|= ip(\"2001:db8::/32\")", "[2001:db8::1] up", "[2001:db8::1] up"}));

INSTANTIATE_TEST_SUITE_P(
    Json, RunsStages,
    ::testing::Values(
        Row{"| json", R"({"a":"x","b":1.50,"c":true,"d":null,"e":[1,2]})",
            R"({"a":"x","b":1.50,"c":true,"d":null,"e":[1,2]} {a="x",b="1.50",c="true"})"},
        Row{"| json", R"({"a":{"b":{"c d":"x"}},"1":2})",
            R"({"a":{"b":{"c d":"x"}},"1":2} {_1="2",a_b_c_d="x"})"},
        Row{"| json", R"({"app":"x","trace_id":"y"})",
            R"({"app":"x","trace_id":"y"} {app_extracted="x",trace_id_extracted="y"})"},
        Row{"| json", R"({"a":"\u00f1\n"})", "{\"a\":\"\\u00f1\\n\"} {a=\"\xC3\xB1\\n\"}"},
        Row{"| json | a = \"x\"", "no", "-"}, Row{"| json", "{}", "{}"},
        Row{"| json | __error__ = \"\"", "no", "-"},
        Row{"| json | drop __error__, __error_details__", R"(["a"])", R"(["a"])"},
        Row{"| json x=\"a.b[1]\", y=\"a\", z=\"w\", v=`[\"c d\"]`",
            R"({"a":{"b":[1,"two"]},"c d":null})",
            R"({"a":{"b":[1,"two"]},"c d":null} {x="two",y="{\"b\":[1,\"two\"]}"})"},
        Row{"| json x=\"[1].a\"", R"([0,{"a":7}])", R"([0,{"a":7}] {x="7"})"},
        Row{"| json app", R"({"app":"x"})", R"({"app":"x"} {app_extracted="x"})"},
        Row{"| unpack", R"({"_entry":"the line","a":"x","n":1})", R"(the line {a="x"})"},
        Row{"| unpack |= \"line\"", R"({"_entry":"the line"})", "the line"}));

INSTANTIATE_TEST_SUITE_P(
    Texts, RunsStages,
    ::testing::Values(
        Row{"| logfmt", R"(a=1 b="two \"2\"" c d= app=x 9=y)",
            R"(a=1 b="two \"2\"" c d= app=x 9=y {_9="y",a="1",app_extracted="x",b="two \"2\""})"},
        Row{"| logfmt", "a=b=c d=1 \"x\" e=2", "a=b=c d=1 \"x\" e=2 {d=\"1\",e=\"2\"}"},
        Row{"| logfmt x=\"a\", b", "a=1 b=2 c=3", "a=1 b=2 c=3 {b=\"2\",x=\"1\"}"},
        Row{"| logfmt --strict | __error__ = `LogfmtParserErr` | drop __error_details__", "a=b=c",
            "a=b=c {__error__=\"LogfmtParserErr\"}"},
        Row{"| logfmt --keep-empty | d = \"\" | a = \"1\"", "a=1 d=", "a=1 d= {a=\"1\"}"},
        Row{"| pattern \"<ip> - <_> [<at>] <rest>\"", "1.2.3.4 - - [now] GET /",
            "1.2.3.4 - - [now] GET / {at=\"now\",ip=\"1.2.3.4\",rest=\"GET /\"}"},
        Row{"| pattern \"GET <path> <level>\"", "POST /", "POST /"},
        Row{"| pattern \"GET <path> <level>\"", "GET / 200",
            "GET / 200 {level_extracted=\"200\",path=\"/\"}"},
        Row{"| regexp `(?P<m>\\w+) (\\d+)(?P<x>z)?`", "GET 200", "GET 200 {m=\"GET\"}"},
        Row{"| regexp `(?P<m>x)`", "GET 200", "GET 200"},
        Row{"| decolorize", "\x1B[31mred\x1B[0m plain", "red plain"}));

INSTANTIATE_TEST_SUITE_P(
    LabelFilters, RunsStages,
    ::testing::Values(
        Row{"| app = \"shop\"", "x", "x"}, Row{"| app != \"shop\"", "x", "-"},
        Row{"| app =~ \"sh.*\"", "x", "x"}, Row{"| app =~ \"sh\"", "x", "-"},
        Row{"| none = \"\"", "x", "x"}, Row{"| trace_id = \"abc\"", "x", "x"},
        Row{"| level = \"info\"", "x", "x"}, Row{"| level_extracted = \"meta\"", "x", "x"},
        Row{"| logfmt | n > 5", "n=6", "n=6 {n=\"6\"}"}, Row{"| logfmt | n > 5", "n=5", "-"},
        Row{"| logfmt | n > 5", "m=5", "-"},
        Row{"| logfmt | n == -1.5", "n=-1.5", "n=-1.5 {n=\"-1.5\"}"},
        Row{"| logfmt | d >= 1.5s", "d=1500ms", "d=1500ms {d=\"1500ms\"}"},
        Row{"| logfmt | d < 1m", "d=1h", "-"},
        Row{"| logfmt | s > 1KiB", "s=2kb", "s=2kb {s=\"2kb\"}"},
        Row{"| logfmt | s > 1KiB", "s=1000", "-"},
        Row{"| logfmt | n > 5 | drop __error_details__", "n=x",
            "n=x {__error__=\"LabelFilterErr\",n=\"x\"}"},
        Row{"| logfmt | n > 5 | __error__ = \"\"", "n=x", "-"},
        Row{"| logfmt | n > 5 and m = \"1\" or m = \"2\"", "n=1 m=2", "n=1 m=2 {m=\"2\",n=\"1\"}"},
        Row{"| logfmt | n > 5 and (m = \"1\" or m = \"2\")", "n=1 m=2", "-"},
        Row{"| logfmt | a = ip(\"10.0.0.0/8\")", "a=10.9.9.9", "a=10.9.9.9 {a=\"10.9.9.9\"}"},
        Row{"| logfmt | a != ip(\"10.0.0.0/8\")", "a=10.9.9.9", "-"}));

INSTANTIATE_TEST_SUITE_P(
    LabelChanges, RunsStages,
    ::testing::Values(
        Row{"| logfmt | drop a, b=\"2\"", "a=1 b=2 c=3", "a=1 b=2 c=3 {c=\"3\"}"},
        Row{"| logfmt | drop b=\"3\"", "b=2", "b=2 {b=\"2\"}"},
        Row{"| logfmt | keep a, b=~\"3|4\"", "a=1 b=2 c=3", "a=1 b=2 c=3 {a=\"1\"}"},
        Row{"| label_format x=app, y=\"{{.app}}-{{.x}}\"", "l", "l {x=\"shop\",y=\"-shop\"}"},
        Row{"| label_format a=\"1\", b=\"{{.a}}2\"", "l", "l {a=\"1\",b=\"2\"}"},
        Row{"| label_format app=\"other\" | app = \"other\"", "l", "l {app=\"other\"}"},
        Row{"| label_format x=none", "l", "l"},
        Row{"| line_format \"{{.app}}: {{__line__}}\" |= \"shop: l\"", "l", "shop: l"},
        Row{"| line_format \"a\" | line_format \"{{__line__}}b\"", "l", "ab"},
        Row{"| line_format \"{{div 1 0}}\" | drop __error_details__", "l",
            "l {__error__=\"TemplateFormatErr\"}"}));

TEST(Pipeline, ALineThatNothingChangesHasTheLabelsItCameWith) {
  auto pipeline = pipeline_of("|= \"x\"");
  ASSERT_TRUE(pipeline.has_value());
  ASSERT_TRUE(pipeline->run({kTime, "x", &stream(), metadata()}));
  EXPECT_FALSE(pipeline->labels().is_changed());
  EXPECT_EQ(pipeline->labels().stream(), stream());
  EXPECT_EQ(to_string(pipeline->labels().metadata()),
            "{level_extracted=\"meta\",trace_id=\"abc\"}");
  EXPECT_EQ(to_string(pipeline->labels().all()),
            "{app=\"shop\",level=\"info\",level_extracted=\"meta\",trace_id=\"abc\"}");
}

TEST(Pipeline, WhatALineLeftIsGoneWithTheNext) {
  auto pipeline = pipeline_of("| json | drop app");
  ASSERT_TRUE(pipeline.has_value());
  ASSERT_TRUE(pipeline->run({kTime, "{\"a\":\"x\"}", &stream(), metadata()}));
  EXPECT_EQ(to_string(pipeline->labels().parsed()), "{a=\"x\"}");
  ASSERT_TRUE(pipeline->run({kTime, "{\"b\":\"y\"}", &stream(), {}}));
  EXPECT_EQ(to_string(pipeline->labels().all()), "{b=\"y\",level=\"info\"}");
  ASSERT_TRUE(pipeline->run({kTime, "{", &stream(), {}}));
  EXPECT_EQ(pipeline->labels().get(kErrorLabel), kJsonError);
  ASSERT_TRUE(pipeline->run({kTime, "{}", &stream(), {}}));
  EXPECT_EQ(pipeline->labels().get(kErrorLabel), "");
}

TEST(Pipeline, WhatComesOutOfALineIsBounded) {
  std::string wide = "{";
  std::string pairs;
  for (std::size_t i = 0; i < 2 * kLineLabelsMax; ++i) {
    wide += (i == 0 ? "\"a" : ",\"a") + std::to_string(i) + "\":\"x\"";
    pairs += "a" + std::to_string(i) + "=x ";
  }
  wide += "}";
  const std::string large = "{\"a\":\"" + std::string(kLineLabelBytesMax, 'x') + "\"}";
  std::string deep;
  for (std::size_t i = 0; i < 10'000; ++i) deep += "{\"a\":";
  for (const auto& [stages, line] : std::vector<std::pair<std::string, std::string>>{
           {"| json", wide},
           {"| logfmt", pairs},
           {"| json", large},
           {"| json", deep + "1" + std::string(10'000, '}')},
           {"| json x=\"a\"", large},
           {"| unpack", wide}}) {
    auto pipeline = pipeline_of(stages);
    ASSERT_TRUE(pipeline.has_value());
    ASSERT_TRUE(pipeline->run({kTime, line, &stream(), {}}));
    EXPECT_NE(pipeline->labels().get(kErrorLabel), "") << stages;
    EXPECT_LE(pipeline->labels().all().size(), kLineLabelsMax + 4) << stages;
    EXPECT_EQ(pipeline->text(), line);
  }
}

TEST(Pipeline, TemplatesOfALineShareWhatTheyMayMake) {
  std::string many = "| label_format ";
  for (int i = 0; i < 200; ++i) {
    many += (i == 0 ? "a" : ", a") + std::to_string(i) + "=\"{{repeat 2000 __line__}}\"";
  }
  auto pipeline = pipeline_of(many);
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  ASSERT_TRUE(pipeline->run({kTime, "ten bytes.", &stream(), {}}));
  EXPECT_EQ(pipeline->labels().get(kErrorLabel), kTemplateError);
  EXPECT_EQ(pipeline->labels().get("a0").size(), 20'000U);
  std::size_t bytes = 0;
  pipeline->labels().for_each([&](auto name, auto value) { bytes += name.size() + value.size(); });
  EXPECT_LE(bytes, kLineLabelBytesMax + 1'024);
  std::string stages;
  for (int i = 0; i < 10; ++i) stages += "| line_format `{{repeat 20000 \"0123456789\"}}`";
  auto lines = pipeline_of(stages + " | line_format \"{{__line__}}\"");
  ASSERT_TRUE(lines.has_value());
  ASSERT_TRUE(lines->run({kTime, "x", &stream(), {}}));
  EXPECT_EQ(lines->labels().get(kErrorLabel), "");
  std::string copies;
  for (int i = 0; i < 50; ++i) copies += " | label_format a=\"{{__line__ | upper}}\"";
  auto costly = pipeline_of("| line_format `{{repeat 20000 \"0123456789\"}}`" + copies);
  ASSERT_TRUE(costly.has_value());
  ASSERT_TRUE(costly->run({kTime, "x", &stream(), {}}));
  EXPECT_EQ(costly->labels().get(kErrorLabel), kWorkError);
}

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// What __error__ is of a line that went through the stages, "-" where it did not pass.
std::string error_of(const std::string& stages, const std::string& line) {
  auto pipeline = pipeline_of(stages);
  EXPECT_TRUE(pipeline.has_value()) << pipeline.error().message;
  if (!pipeline || !pipeline->run({kTime, line, &stream(), {}})) return "-";
  return std::string(pipeline->labels().get(kErrorLabel));
}

TEST(Pipeline, AllStagesOfALineShareItsWork) {
  const std::string line(64U << 10U, 'x');
  const std::string json = "{\"a\":\"" + line + "\"}";
  const std::string pairs = "a=" + line;
  std::string terms = "!~ `y0`";
  std::string paths = "| json p0=\"b.c\"";
  for (int i = 1; i < 1'000; ++i) {
    terms += " or `y" + std::to_string(i) + "`";
    paths += ", p" + std::to_string(i) + "=\"b.c\"";
  }
  paths = times(3, paths.substr(0, paths.find(", p300")));
  for (const auto& [stages, text] : std::vector<std::pair<std::string, std::string>>{
           {terms, line},
           {times(200, "!~ `y` "), line},
           {times(200, "!= \"y\" "), line},
           {times(200, "!> \"<_>y\" "), line},
           {times(200, "!= ip(\"10.0.0.1\") "), line},
           {times(200, "| json "), json},
           {paths, "{\"a\":\"" + line + line + line + line + "\"}"},
           {times(200, "| unpack "), json},
           {times(200, "| logfmt "), pairs},
           {times(200, "| regexp `(?P<z>y)` "), line},
           {times(200, "| pattern `<z>y` "), line},
           {times(200, "| decolorize "), line},
           {"| logfmt " + times(200, "| a !~ `y` "), pairs},
           {"| logfmt " + times(200, "| a != ip(\"10.0.0.1\") "), pairs},
           {"| logfmt " + times(200, "| drop a=~`y` "), pairs}}) {
    EXPECT_EQ(error_of(stages, text), kWorkError) << stages.substr(0, 60);
    EXPECT_EQ(error_of(stages, "a=b").find(kWorkError), std::string::npos) << stages.substr(0, 60);
  }
  const std::string copies =
      times(500, "| line_format `{{repeat 20000 \"0123456789\" | upper | lower}}` ");
  EXPECT_EQ(error_of(copies, "x"), kWorkError);
}

// RE2 has no room for an automaton of it: of each byte it looks at 16,000 instructions.
TEST(Pipeline, ALargeRegexTakesMoreOfALinesWork) {
  const std::string large = "`(a?b?0?1?x?y?z?){1000}@`";
  const std::string line = times(64U << 10U, "z");
  for (const std::string& stages :
       {"!~ " + large, "| logfmt | a !~ " + large, "| logfmt | drop a=~" + large,
        "| regexp `(?P<n>" + large.substr(1, large.size() - 2) + ")`",
        "| line_format `{{regexReplaceAll \"" + large.substr(1, large.size() - 2) +
            "\" __line__ \"\"}}`"}) {
    EXPECT_NE(error_of(stages, "a=" + line), "") << stages;
    EXPECT_EQ(error_of(stages, "a=" + line.substr(0, 1'000)), "") << stages;
  }
  EXPECT_EQ(error_of("!~ `(?i)order|warn|time.?out`", times(64, line)), "");
}

TEST(Pipeline, WhatIsPassedOverCanBeFilteredAndIsSaidAgain) {
  const std::string line = "a=" + std::string(255U << 10U, 'x');
  const std::string costly = times(40, "!~ `y` ");
  EXPECT_EQ(error_of(costly + "| __error__=\"\"", line), "-");
  EXPECT_EQ(error_of(costly + "| __error__=\"\" or app=~\"none\"", line), kWorkError);
  EXPECT_EQ(error_of(costly + "| app=\"none\" and app=~\"none\"", line), "-");
  EXPECT_EQ(error_of(costly + "| drop __error__", line), "");
  EXPECT_EQ(error_of(costly + "| drop __error__ | line_format \"{{__line__}}\"", line), kWorkError);
  EXPECT_EQ(error_of(times(25, "!~ `y` ") + "| logfmt", line), "");
}

TEST(Pipeline, RegexesShareMemoryAndMatchWithLittleOfIt) {
  RegexMemory memory;
  std::size_t sum = 0;
  std::size_t last = 0;
  for (int i = 0; i < 200; ++i) sum += last = memory.take(10);
  EXPECT_LT(sum, 3 * kRegexMemoryBytes);
  EXPECT_LT(last, kRegexMemoryBytes / 64);
  // Each has thousands of states for lines of a and b: more than the last ones have room for.
  std::string stages;
  for (int i = 0; i < 40; ++i) stages += " !~ `a[ab]{10}c" + std::to_string(i) + "`";
  auto pipeline = pipeline_of(stages);
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  std::string line;
  std::uint32_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1'664'525U + 1'013'904'223U;
    line += state >> 31U != 0 ? 'a' : 'b';
  }
  EXPECT_TRUE(pipeline->run({kTime, line, &stream(), {}}));
  EXPECT_FALSE(pipeline->run({kTime, line + "aaaaaaaaaaac39", &stream(), {}}));
}

TEST(Pipeline, UnwrapGivesSamples) {
  struct Sample {
    const char* stages;
    const char* line;
    std::optional<double> value;
    const char* error;
  };
  for (const Sample& row :
       std::vector<Sample>{{"| logfmt | unwrap n", "n=-2.5", -2.5, ""},
                           {"| logfmt | unwrap duration(d)", "d=1m30s", 90, ""},
                           {"| logfmt | unwrap duration_seconds(d)", "d=250ms", 0.25, ""},
                           {"| logfmt | unwrap bytes(b)", "b=2KiB", 2048, ""},
                           {"| logfmt | unwrap n", "m=1", std::nullopt, ""},
                           {"| logfmt | unwrap n", "n=x", 0, "SampleExtractionErr"},
                           {"| logfmt | unwrap n | __error__=\"\"", "n=x", std::nullopt, ""}}) {
    auto pipeline = pipeline_of(row.stages);
    ASSERT_TRUE(pipeline.has_value()) << row.stages;
    const bool has_passed = pipeline->run({kTime, row.line, &stream(), {}});
    EXPECT_EQ(has_passed, row.value.has_value()) << row.stages << " " << row.line;
    if (!has_passed) continue;
    EXPECT_EQ(pipeline->sample(), row.value) << row.stages;
    EXPECT_EQ(pipeline->labels().get(kErrorLabel), row.error);
  }
}

TEST(Pipeline, WhatCannotRunIsRefusedBeforeALineIsSeen) {
  const std::vector<std::pair<const char*, const char*>> rows{
      {"| regexp `a(b)`", "named capture"},
      {"| pattern \"<a><b>\"", "side by side"},
      {"| pattern \"<_> x\"", "named capture"},
      {"| pattern \"<a> <a>\"", "twice"},
      {"|> \"<a> x\"", "no named captures"},
      {"| json x=\"a..b\"", "cannot parse expression"},
      {"| json x=\"a[\"", "cannot parse expression"},
      {"|= ip(\"10.0.0.0/33\")", "no address"},
      {"| x = ip(\"10.0.0.9-10.0.0.1\")", "no address"},
      {"| label_format __error__=\"x\"", "cannot be formatted"},
      {"| line_format \"{{.x\"", "unclosed action"},
      {"| line_format \"{{nosuch .x}}\"", "not defined"},
      {"| label_format y=\"{{range .x}}{{end}}\"", "not supported"}};
  for (const auto& [stages, why] : rows) {
    const auto pipeline = pipeline_of(stages);
    ASSERT_FALSE(pipeline.has_value()) << stages;
    EXPECT_EQ(pipeline.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(pipeline.error().message, HasSubstr(why)) << stages;
  }
}

}  // namespace
}  // namespace vigia::logql::pipeline
