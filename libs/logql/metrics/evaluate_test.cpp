#include "libs/logql/metrics/evaluate.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/metrics/parts_memory.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/pipeline/front_filters.hpp"

namespace vigia::logql::metrics {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

struct Stored {
  std::int64_t second;
  std::string app;
  std::string text;
};

/// Lines at seconds: of "shop" each ten from 10 to 60, of "cart" at 15 and 45.
const std::vector<Stored>& stored() {
  static const std::vector<Stored> lines{
      {10, "shop", "n=1 d=1s path=/a"}, {15, "cart", "n=10 d=2s path=/a"},
      {20, "shop", "n=2 d=3s path=/b"}, {30, "shop", "n=4 d=1s path=/a"},
      {40, "shop", "n=8 path=/b"},      {45, "cart", "n=20 d=4s path=/c"},
      {50, "shop", "n=3 d=5s path=/a"}, {60, "shop", "n=5 d=6s path=/a"}};
  return lines;
}

/// The stored lines whose app the selector asks for.
class StoredSource : public LineSource {
 public:
  StoredSource(const LogSelector& selector, std::int64_t after_ns, std::int64_t until_ns) {
    for (const Stored& line : stored()) {
      const std::int64_t time = line.second * kSecond;
      const bool is_wanted = std::all_of(
          selector.matchers.begin(), selector.matchers.end(), [&](const Matcher& matcher) {
            return matcher.name != "app" || matcher.type == MatchType::kRegex ||
                   matcher.value == line.app;
          });
      if (is_wanted && time > after_ns && time <= until_ns) lines_.push_back(&line);
    }
  }

  Result<const pipeline::StoredLine*> next() override {
    if (at_ == lines_.size()) return nullptr;
    const Stored& line = *lines_[at_];
    stream_ = Labels::from({{"app", line.app}});
    // As trace ids are: every line has its own.
    metadata_ = {{"line", std::to_string(at_)}};
    line_ = {line.second * kSecond, line.text, &stream_, metadata_};
    ++at_;
    return &line_;
  }

 private:
  std::vector<const Stored*> lines_;
  std::size_t at_ = 0;
  Labels stream_;
  std::vector<Label> metadata_;
  pipeline::StoredLine line_;
};

const OpenLines kOpen = [](const LogSelector& selector, std::int64_t after_ns,
                           std::int64_t until_ns) -> Result<std::unique_ptr<LineSource>> {
  return std::make_unique<StoredSource>(selector, after_ns, until_ns);
};

Result<MetricAnswer> evaluated(const std::string& text, std::int64_t start, std::int64_t end,
                               std::int64_t step) {
  const auto expr = parse_logs(text);
  if (!expr) return forward(expr);
  return evaluate(**expr, {start * kSecond, end * kSecond, step * kSecond}, kOpen);
}

/// `{labels} time:value time:value; …`, times in seconds.
std::string shown(const Result<MetricAnswer>& answer) {
  if (!answer) return "!" + answer.error().message;
  std::string text;
  for (const MetricSeries& series : answer->series) {
    if (!text.empty()) text += "; ";
    text += to_string(series.labels);
    for (const MetricPoint& point : series.points) {
      text += fmt::format(" {}:{}", point.time_ms / 1000, point.value);
    }
  }
  return text;
}

struct Row {
  const char* query;
  const char* answer;
};

class EvaluatesRanges : public ::testing::TestWithParam<Row> {};
/// Over the steps 20, 40 and 60.
TEST_P(EvaluatesRanges, AtEachStep) {
  EXPECT_EQ(shown(evaluated(GetParam().query, 20, 60, 20)), GetParam().answer) << GetParam().query;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, EvaluatesRanges,
    ::testing::Values(
        // (0, 20], (20, 40], (40, 60]: what stands on the left end is of the window before.
        Row{"sum by (app) (count_over_time({app=~\".+\"}[20s]))",
            "{app=\"cart\"} 20:1 60:1; {app=\"shop\"} 20:2 40:2 60:2"},
        Row{"sum by (app) (count_over_time({app=~\".+\"}[10s]))",
            "{app=\"cart\"} 20:1; {app=\"shop\"} 20:1 40:1 60:1"},
        Row{"sum(count_over_time({app=\"shop\"}[1m]))", "{} 20:2 40:4 60:6"},
        Row{"sum(count_over_time({app=\"shop\"}[20s] offset 20s))", "{} 40:2 60:2"},
        Row{"sum(count_over_time({app=\"shop\"}[20s] offset -20s))", "{} 20:2 40:2"},
        Row{"sum(rate({app=\"shop\"}[20s]))", "{} 20:0.1 40:0.1 60:0.1"},
        Row{"sum(bytes_over_time({app=\"cart\"}[20s]))", "{} 20:17 60:17"},
        Row{"sum(bytes_rate({app=\"cart\"}[20s]))", "{} 20:0.85 60:0.85"},
        Row{"sum(count_over_time({app=\"shop\"} |= \"/b\" [20s]))", "{} 20:1 40:1"},
        Row{"sum by (path) (count_over_time({app=\"shop\"} | logfmt [20s]))",
            "{path=\"/a\"} 20:1 40:1 60:2; {path=\"/b\"} 20:1 40:1"},
        Row{"count_over_time({app=\"cart\"}[1m])",
            "{app=\"cart\",line=\"0\"} 20:1 40:1 60:1; {app=\"cart\",line=\"1\"} 60:1"},
        Row{"sum without (line) (count_over_time({app=\"cart\"}[1m]))",
            "{app=\"cart\"} 20:1 40:1 60:2"},
        Row{"absent_over_time({app=\"cart\",x=~\"y\",customer_id=\"a\"}[10s])",
            "{app=\"cart\"} 40:1 60:1"},
        Row{"absent_over_time({app=\"shop\"}[10s])", ""}));

INSTANTIATE_TEST_SUITE_P(
    Unwrapped, EvaluatesRanges,
    ::testing::Values(
        Row{"max_over_time({app=\"shop\"} | logfmt | unwrap n [20s]) by (app)",
            "{app=\"shop\"} 20:2 40:8 60:5"},
        Row{"min_over_time({app=\"shop\"} | logfmt | unwrap n [1m]) by (app)",
            "{app=\"shop\"} 20:1 40:1 60:1"},
        Row{"avg_over_time({app=\"shop\"} | logfmt | unwrap n [20s]) by (app)",
            "{app=\"shop\"} 20:1.5 40:6 60:4"},
        Row{"sum by (path) (sum_over_time({app=\"shop\"} | logfmt | unwrap duration(d) [20s]))",
            "{path=\"/a\"} 20:1 40:1 60:11; {path=\"/b\"} 20:3"},
        Row{"first_over_time({app=\"shop\"} | logfmt | unwrap n [20s]) by (app)",
            "{app=\"shop\"} 20:1 40:4 60:3"},
        Row{"last_over_time({app=\"shop\"} | logfmt | unwrap n [20s]) by (app)",
            "{app=\"shop\"} 20:2 40:8 60:5"},
        Row{"quantile_over_time(0.5, {app=\"shop\"} | logfmt | unwrap n [1m]) by (app)",
            "{app=\"shop\"} 20:1.5 40:3 60:3.5"},
        Row{"stdvar_over_time({app=\"shop\"} | logfmt | unwrap n [20s]) by (app)",
            "{app=\"shop\"} 20:0.25 40:4 60:1"},
        Row{"stddev_over_time({app=\"shop\"} | logfmt | unwrap n [20s]) by (app)",
            "{app=\"shop\"} 20:0.5 40:2 60:1"},
        Row{"max(max_over_time({app=~\".+\"} | logfmt | unwrap n [20s]))", "{} 20:10 40:8 60:20"},
        Row{"min by (path) (min_over_time({app=\"shop\"} | logfmt | unwrap n [20s]))",
            "{path=\"/a\"} 20:1 40:4 60:3; {path=\"/b\"} 20:2 40:8"},
        Row{"sum by (n) (sum_over_time({app=\"cart\"} | logfmt | unwrap n [20s]))",
            "{} 20:10 60:20"},
        Row{"sum(rate({app=\"shop\"} | logfmt | unwrap n [20s]))", "{} 20:0.15 40:0.6 60:0.4"},
        // 1, 2, 4, 8, then 3 after a reset, 5: 7 up to 40, 12 up to 60.
        Row{"rate_counter({app=\"shop\"} | logfmt | drop line, d, path | unwrap n [1m])",
            "{app=\"shop\"} 20:0.016666666666666666 40:0.11666666666666667 60:0.2"},
        Row{"max_over_time({app=\"shop\"} | logfmt | keep app, n | unwrap n [20s])",
            "{app=\"shop\"} 20:2 40:8 60:5"}));

INSTANTIATE_TEST_SUITE_P(
    Vectors, EvaluatesRanges,
    ::testing::Values(
        Row{"count(count_over_time({app=\"shop\"}[1m]))", "{} 20:2 40:4 60:6"},
        Row{"avg(max_over_time({app=~\".+\"} | logfmt | unwrap n [20s]) by (app))",
            "{} 20:6 40:8 60:12.5"},
        Row{"max(sum by (app) (count_over_time({app=~\".+\"}[20s])))", "{} 20:2 40:2 60:2"},
        Row{"min(sum by (app) (count_over_time({app=~\".+\"}[20s])))", "{} 20:1 40:2 60:1"},
        Row{"stdvar(sum by (app) (count_over_time({app=~\".+\"}[20s])))",
            "{} 20:0.25 40:0 60:0.25"},
        Row{"topk(1, sum by (app) (count_over_time({app=~\".+\"}[20s])))",
            "{app=\"shop\"} 20:2 40:2 60:2"},
        Row{"bottomk(1, sum by (app) (count_over_time({app=~\".+\"}[20s])))",
            "{app=\"cart\"} 20:1 60:1; {app=\"shop\"} 40:2"},
        Row{"vector(2)", "{} 20:2 40:2 60:2"}, Row{"1 + 2 * 3", "{} 20:7 40:7 60:7"},
        Row{"label_replace(vector(1), \"x\", \"<$1>\", \"none\", \"(.*)\")",
            "{x=\"<>\"} 20:1 40:1 60:1"},
        Row{"label_replace(sum by (app) (rate({app=\"shop\"}[20s])), \"app\", \"$1\", \"app\", "
            "\"(sh)op\")",
            "{app=\"sh\"} 20:0.1 40:0.1 60:0.1"},
        Row{"label_replace(sum by (app) (rate({app=\"shop\"}[20s])), \"app\", \"\", \"app\", "
            "\"sh\")",
            "{app=\"shop\"} 20:0.1 40:0.1 60:0.1"}));

INSTANTIATE_TEST_SUITE_P(
    Pairs, EvaluatesRanges,
    ::testing::Values(
        Row{"sum(count_over_time({app=\"shop\"}[1m])) * 2 - 1", "{} 20:3 40:7 60:11"},
        Row{"sum(count_over_time({app=\"shop\"}[1m])) > 3", "{} 40:4 60:6"},
        Row{"3 < sum(count_over_time({app=\"shop\"}[1m]))", "{} 40:4 60:6"},
        Row{"sum(count_over_time({app=\"shop\"}[1m])) > bool 3", "{} 20:0 40:1 60:1"},
        Row{"vector(1) / 0", "{} 20:nan 40:nan 60:nan"},
        Row{"sum by (app) (count_over_time({app=~\".+\"}[20s])) / "
            "sum by (app) (count_over_time({app=\"cart\"}[1m]))",
            "{app=\"cart\"} 20:1 60:0.5"},
        Row{"sum by (app) (count_over_time({app=~\".+\"}[20s])) / on () group_left () "
            "sum(count_over_time({app=~\".+\"}[20s]))",
            "{app=\"cart\"} 20:0.3333333333333333 60:0.3333333333333333; "
            "{app=\"shop\"} 20:0.6666666666666666 40:1 60:0.6666666666666666"},
        Row{"sum by (app) (count_over_time({app=~\".+\"}[20s])) / "
            "sum(count_over_time({app=~\".+\"}[20s]))",
            ""},
        Row{"sum by (app) (count_over_time({app=\"cart\"}[20s])) or vector(0)",
            "{} 20:0 40:0 60:0; {app=\"cart\"} 20:1 60:1"},
        Row{"sum(count_over_time({app=\"cart\"}[20s])) or vector(0)", "{} 20:1 40:0 60:1"},
        Row{"vector(1) and sum(count_over_time({app=\"cart\"}[20s]))", "{} 20:1 60:1"},
        Row{"vector(1) unless sum(count_over_time({app=\"cart\"}[20s]))", "{} 40:1"},
        Row{"sum by (app) (count_over_time({app=~\".+\"}[20s])) * on () vector(1)",
            "!multiple matches for labels {}: many-to-one matching must be explicit "
            "(group_left/group_right)"},
        Row{"vector(1) * on () group_left () sum by (app) (count_over_time({app=~\".+\"}[20s]))",
            "!multiple matches for labels {}: the side of the one has several series"}));

TEST(Evaluate, AnInstantQueryHasOnePointAndKeepsItsOrder) {
  EXPECT_EQ(
      shown(evaluated("sum by (path) (count_over_time({app=\"shop\"} | logfmt [1m]))", 60, 60, 0)),
      "{path=\"/a\"} 60:4; {path=\"/b\"} 60:2");
  const char* const by_app = "(sum by (app) (count_over_time({app=~\".+\"}[1m])))";
  EXPECT_EQ(shown(evaluated(std::string("sort") + by_app, 60, 60, 0)),
            "{app=\"cart\"} 60:2; {app=\"shop\"} 60:6");
  EXPECT_EQ(shown(evaluated(std::string("sort_desc") + by_app, 60, 60, 0)),
            "{app=\"shop\"} 60:6; {app=\"cart\"} 60:2");
  const auto scalar = evaluated("2 ^ 3", 60, 60, 0);
  ASSERT_TRUE(scalar.has_value());
  EXPECT_TRUE(scalar->is_scalar);
  EXPECT_EQ(shown(scalar), "{} 60:8");
}

TEST(Evaluate, ALineWithAnErrorEndsTheQueryUnlessItIsFiltered) {
  const auto answer = evaluated("sum(count_over_time({app=\"shop\"} | json [1m]))", 60, 60, 0);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(answer.error().message, HasSubstr("pipeline error: 'JSONParserErr'"));
  EXPECT_EQ(shown(evaluated("sum(count_over_time({app=\"shop\"} | json | __error__=\"\" [1m]))", 60,
                            60, 0)),
            "");
}

TEST(Evaluate, TimesAndSizesAreBounded) {
  EXPECT_THAT(shown(evaluated("vector(1)", 60, 20, 1)), HasSubstr("!end is before start"));
  EXPECT_THAT(shown(evaluated("vector(1)", 20, 60, 0)), HasSubstr("!step must be greater"));
  EXPECT_THAT(shown(evaluated("vector(1)", 0, 11'000, 1)), HasSubstr("!exceeded maximum"));
  EXPECT_EQ(evaluated("vector(1)", 0, 10'999, 1)->series.at(0).points.size(), 11'000U);
  EXPECT_THAT(shown(evaluated("{app=\"shop\"}", 20, 60, 20)),
              HasSubstr("!log lines are no samples"));
  std::string many = "vector(0)";
  for (std::size_t i = 0; i <= kMetricSelectorsMax; ++i) many += " + sum(rate({app=\"x\"}[1m]))";
  EXPECT_THAT(shown(evaluated(many, 60, 60, 0)), HasSubstr("!the query reads more than"));
  // A range that ends before times begin reads what there is.
  EXPECT_EQ(shown(evaluated("sum(count_over_time({app=\"shop\"}[290y]))", 60, 60, 0)), "{} 60:6");
}

/// So many lines, four a nanosecond, each with a label and a value of its own.
class ManyLines : public LineSource {
 public:
  explicit ManyLines(std::size_t count) : count_(count) {}
  Result<const pipeline::StoredLine*> next() override {
    if (at_ == count_) return nullptr;
    text_ = "n=" + std::to_string(++at_);
    line_ = {static_cast<std::int64_t>(at_ / 4), text_, &stream_, {}};
    return &line_;
  }

 private:
  std::size_t count_;
  std::size_t at_ = 0;
  std::string text_;
  Labels stream_;
  pipeline::StoredLine line_;
};

TEST(Evaluate, WhatComesOutIsBounded) {
  const auto over = [](const std::string& text, std::size_t lines, std::int64_t step_ns) {
    const auto expr = parse_logs(text);
    EXPECT_TRUE(expr.has_value()) << text;
    const OpenLines open = [&](const LogSelector&, std::int64_t,
                               std::int64_t) -> Result<std::unique_ptr<LineSource>> {
      return std::make_unique<ManyLines>(lines);
    };
    const auto answer = evaluate(**expr, {0, 10'000 * step_ns, step_ns}, open);
    return answer ? std::string("answered") : std::string(to_string(answer.error().code));
  };
  EXPECT_EQ(over("count_over_time({a=\"b\"} | logfmt [1s])", kMetricSeriesMax + 1, kSecond),
            "too_large");
  EXPECT_EQ(
      over("count_over_time({a=\"b\"} | logfmt [1s])", kMetricValuesMax / 10'000 + 1, kSecond),
      "too_large");
  EXPECT_EQ(over("sum(count_over_time({a=\"b\"} | logfmt [1s]))", kMetricSeriesMax + 1, kSecond),
            "answered");
  EXPECT_EQ(over("sum(sum_over_time({a=\"b\"} | logfmt m=\"n\", n | unwrap n [1s]))",
                 kMetricSeriesMax + 1, kSecond),
            "answered");
  EXPECT_EQ(over("last_over_time({a=\"b\"} | logfmt | unwrap n [1s]) by (x)", 40'000, 1),
            "too_large");
  EXPECT_EQ(over("last_over_time({a=\"b\"} | logfmt | unwrap n [1s]) by (x)", 40'000, kSecond),
            "answered");
}

/// The code of the error, or "answered": 150 lines of labels of their own, each seen at all of
/// 10,001 steps, for each selector: 24 MB a part.
std::string with_large_parts(const std::string& text) {
  const auto expr = parse_logs(text);
  EXPECT_TRUE(expr.has_value()) << text;
  if (!expr) return {};
  const OpenLines open = [](const LogSelector&, std::int64_t,
                            std::int64_t) -> Result<std::unique_ptr<LineSource>> {
    return std::make_unique<ManyLines>(150);
  };
  const auto answer = evaluate(**expr, {kSecond, 10'001 * kSecond, kSecond}, open);
  return answer ? "answered" : std::string(to_string(answer.error().code));
}

std::string large_part(const std::string& name) {
  return "count_over_time({a=\"b\"} | logfmt | label_format k=\"" + name + "\" [20000s])";
}

TEST(Evaluate, WhatAllPartsHoldAtOnceIsBounded) {
  const std::string one = large_part("1");
  EXPECT_EQ(with_large_parts(one), "answered");
  EXPECT_EQ(with_large_parts(one + " or " + large_part("2")), "too_large");
  EXPECT_EQ(with_large_parts(one + " or " + one + " or " + one), "answered");
  EXPECT_EQ(with_large_parts("count(" + one + " unless " + large_part("2") + ")"), "answered");
  // Each waits for those on its right.
  std::string waiting = one;
  for (int i = 0; i < 6; ++i) waiting = one + " + on() (" + waiting + ")";
  EXPECT_EQ(with_large_parts(waiting), "too_large");
  // Each is given back before the next.
  std::string one_by_one = "avg(" + one + ")";
  for (int i = 0; i < 7; ++i) one_by_one += " + avg(" + one + ")";
  EXPECT_EQ(with_large_parts(one_by_one), "answered");
}

TEST(PartsMemory, AreGivenBackWithTheirPart) {
  PartsMemory all;
  {
    PartMemory one(all);
    ASSERT_TRUE(one.take(kMetricHeldBytesMax - 10).has_value());
    PartMemory other(all);
    const auto refused = other.take(11);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
    EXPECT_TRUE(other.take(10).has_value());
    one.shrink_to(5);
    EXPECT_EQ(all.held(), 15U);
    other = std::move(one);
    EXPECT_EQ(other.bytes(), 5U);
    PartMemory both(all);
    both.add(std::move(other));
    EXPECT_EQ(both.bytes(), 5U);
  }
  EXPECT_EQ(all.held(), 0U);
}

/// How often a union of so many sides of 11,000 values asks whether to go on.
std::size_t questions_of(std::size_t sides) {
  std::string text;
  for (std::size_t i = 0; i < sides; ++i) {
    text += i == 0 ? "" : " or ";
    text += fmt::format("label_replace(vector(1), \"a\", \"{}\", \"\", \"\")", i);
  }
  const auto expr = parse_logs(text);
  EXPECT_TRUE(expr.has_value());
  std::size_t questions = 0;
  const GoOn count = [&] {
    ++questions;
    return Result<void>();
  };
  const auto answer = evaluate(**expr, {0, 10'999 * kSecond, kSecond}, kOpen, count);
  EXPECT_EQ(answer ? answer->series.size() : 0, sides);
  return questions;
}

TEST(Evaluate, AUnionCostsTheSumOfItsSides) {
  const std::size_t of_few = questions_of(40);
  EXPECT_GE(of_few, 3U * 40);
  EXPECT_LE(questions_of(160), 4 * of_few + 4);
}

TEST(Evaluate, EndsWhereItIsNotToGoOn) {
  const std::vector<std::string> queries{
      "label_replace(vector(1), \"a\", \"b\", \"\", \"\") or vector(2) or vector(3)",
      "vector(1) + vector(2) * vector(3)", "sum(vector(1)) unless topk(1, vector(2))",
      "sum(count_over_time({app=\"shop\"}[1m])) > 0",
      "max_over_time({app=\"shop\"} | logfmt | unwrap n [1m])"};
  for (const std::string& text : queries) {
    const auto expr = parse_logs(text);
    ASSERT_TRUE(expr.has_value()) << text;
    for (std::size_t last = 0;; ++last) {
      std::size_t questions = 0;
      const GoOn ends = [&]() -> Result<void> {
        if (questions++ < last) return {};
        return fail(ErrorCode::kDeadline, "it took too long");
      };
      const auto answer = evaluate(**expr, {0, 10'999 * kSecond, kSecond}, kOpen, ends);
      if (answer) {
        EXPECT_GE(last, 2U) << text;
        break;
      }
      EXPECT_EQ(answer.error().code, ErrorCode::kDeadline) << text;
      EXPECT_EQ(questions, last + 1) << text;
    }
  }
}

TEST(Evaluate, WhatTheStoreFailsWithIsHandedOn) {
  const auto expr = parse_logs("sum(rate({a=\"b\"}[1m]))");
  const OpenLines none = [](const LogSelector&, std::int64_t,
                            std::int64_t) -> Result<std::unique_ptr<LineSource>> {
    return fail(ErrorCode::kUnavailable, "the store is away");
  };
  const auto answer = evaluate(**expr, {0, 0, 0}, none);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

/// Counts the stored lines itself, and says what it was asked.
class CountingStore {
 public:
  explicit CountingStore(bool can_count = true) : can_count_(can_count) {}

  CountLines count() {
    return [this](const CountAsk& ask, const auto& take) -> Result<bool> {
      asked_.push_back(fmt::format("{} by {}", ask.width_ns / kSecond, fmt::join(ask.labels, ",")));
      const auto filters =
          pipeline::FrontFilters::parse(pipeline::text_of_front_filters(ask.selector)).value();
      StoredSource lines(ask.selector, ask.after_ns, ask.until_ns);
      for (auto line = lines.next(); *line != nullptr; line = lines.next()) {
        const auto& [time_ns, text, stream, metadata] = **line;
        if (!filters.pass(text)) continue;
        const std::int64_t window = (time_ns - ask.after_ns - 1) / ask.width_ns;
        const std::int64_t begin = ask.after_ns + window * ask.width_ns;
        const auto done = take({begin + 1, stream, 1, text.size()});
        if (!done) return forward(done);
      }
      return can_count_;
    };
  }
  std::string answer(const std::string& text, const EvaluationTimes& times) {
    return shown(
        evaluate(**parse_logs(text), times, kOpen, [] { return Result<void>(); }, count()));
  }
  std::vector<std::string> take_asked() { return std::exchange(asked_, {}); }

 private:
  const bool can_count_;
  std::vector<std::string> asked_;
};

class CountsElsewhere : public ::testing::TestWithParam<const char*> {};
TEST_P(CountsElsewhere, GivesWhatReadingTheLinesGives) {
  for (const auto& [start, end, step] : {std::tuple{100, 100, 1},
                                         {60, 60, 1},
                                         {60, 120, 20},
                                         {61, 124, 7},
                                         {60, 90, 15},
                                         {59, 61, 1}}) {
    for (const bool can_count : {true, false}) {
      CountingStore store(can_count);
      EXPECT_EQ(store.answer(GetParam(), {start * kSecond, end * kSecond, step * kSecond}),
                shown(evaluated(GetParam(), start, end, step)))
          << start << " " << end << " " << step << " " << store.take_asked().at(0);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(
    Queries, CountsElsewhere,
    ::testing::Values(R"(sum(count_over_time({app=~".+"}[20s])))",
                      R"(sum by (app) (count_over_time({app=~".+"} |= "path=/a" [30s])))",
                      R"(sum by (app) (rate({app=~".+"} != "n=2" |~ "d=.s" [15s] offset 10s)))",
                      R"(sum(bytes_rate({app="cart"}[10s])) / sum(rate({app=~".+"}[10s])))",
                      R"(absent_over_time({app="cart"} |= "n=20" [20s]))"));

TEST(CountedElsewhere, OnlyWhatHasNoOtherLabels) {
  CountingStore store;
  const EvaluationTimes times{60 * kSecond, 120 * kSecond, 20 * kSecond};
  store.answer(R"(sum by (app) (count_over_time({app="shop"}[30s])))", times);
  EXPECT_THAT(store.take_asked(), ::testing::ElementsAre("10 by app"));
  for (const char* query :
       {R"(count_over_time({app="shop"}[1m]))", R"(sum without (line) (rate({app="shop"}[1m])))",
        R"(sum by (app) (count_over_time({app="shop"} | logfmt [1m])))"}) {
    EXPECT_EQ(store.answer(query, times), shown(evaluated(query, 60, 120, 20))) << query;
    EXPECT_THAT(store.take_asked(), ::testing::IsEmpty()) << query;
  }
}

}  // namespace
}  // namespace vigia::logql::metrics
