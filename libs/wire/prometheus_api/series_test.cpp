#include "libs/wire/prometheus_api/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::wire::prometheus_api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(const LabelViews& labels) { return to_string(to_labels(labels)); }

/// "up{a="b"} 1.5" for each.
Result<std::vector<std::string>> vector_of(std::string_view data) {
  std::vector<std::string> lines;
  auto read = read_vector(data, [&](const LabelViews& labels, double value) {
    lines.push_back(fmt::format("{} {}", text_of(labels), value));
  });
  if (!read) return forward(read);
  return lines;
}

/// "up{a="b"} 60:1.5 120:2" for each.
Result<std::vector<std::string>> matrix_of(std::string_view data) {
  std::vector<std::string> lines;
  auto read =
      read_matrix(data, [&](const LabelViews& labels, const std::vector<ListedPoint>& points) {
        std::string line = text_of(labels);
        for (const auto& point : points) line += fmt::format(" {}:{}", point.time_s, point.value);
        lines.push_back(std::move(line));
      });
  if (!read) return forward(read);
  return lines;
}

std::string vector_data(std::string_view result) {
  return fmt::format(R"({{"resultType":"vector","result":{}}})", result);
}

std::string matrix_data(std::string_view result) {
  return fmt::format(R"({{"resultType":"matrix","result":{}}})", result);
}

TEST(Series, VectorsAreReadInWhateverOrderTheirMembersStand) {
  EXPECT_THAT(
      *vector_of(vector_data(R"([{"metric":{"b":"2","__name__":"up"},"value":[60.5,"1.5"]},)"
                             R"({"value":[60,"-2e-05"],"metric":{"a":"\u00e9\n"}},)"
                             R"({"value":[60,"3"]}])")),
      ElementsAre(R"(up{b="2"} 1.5)", "{a=\"é\\n\"} -2e-05", "{} 3"));
  EXPECT_THAT(*vector_of(R"({"result":[{"metric":{},"value":[1,"2"]}],"resultType":"vector"})"),
              ElementsAre("{} 2"));
  EXPECT_THAT(*vector_of(vector_data("[]")), IsEmpty());
}

TEST(Series, NumbersAreThoseOfPrometheus) {
  const double infinity = std::numeric_limits<double>::infinity();
  const struct {
    const char* text;
    double value;
  } table[] = {{"0", 0},           {"+Inf", infinity}, {"-Inf", -infinity}, {"1e+22", 1e22},
               {"5e-324", 5e-324}, {"-0", -0.0},       {"0.1", 0.1}};
  for (const auto& [text, expected] : table) {
    const auto data = vector_data(fmt::format(R"([{{"metric":{{}},"value":[1,"{}"]}}])", text));
    auto read = read_vector(data, [&, expected = expected](const LabelViews&, double value) {
      EXPECT_EQ(value, expected) << data;
    });
    EXPECT_TRUE(read.has_value()) << data;
  }
  auto read = read_vector(vector_data(R"([{"value":[1,"NaN"]}])"),
                          [](const LabelViews&, double value) { EXPECT_TRUE(std::isnan(value)); });
  EXPECT_TRUE(read.has_value());
}

TEST(Series, ANativeHistogramHasNoValueAndNoPoints) {
  EXPECT_THAT(*vector_of(vector_data(R"([{"metric":{"a":"b"},"histogram":[1,{"count":"1"}]}])")),
              IsEmpty());
  EXPECT_THAT(*matrix_of(matrix_data(R"([{"metric":{"a":"b"},"histograms":[[1,{"count":"1"}]]}])")),
              ElementsAre(R"({a="b"})"));
}

TEST(Series, MatricesKeepTheirPointsApart) {
  EXPECT_THAT(*matrix_of(matrix_data(R"([{"metric":{"a":"1"},"values":[[60,"1"],[120.5,"2"]]},)"
                                     R"({"values":[[60,"7"]]},{"metric":{"a":"3"},"values":[]}])")),
              ElementsAre(R"({a="1"} 60:1 120.5:2)", "{} 60:7", R"({a="3"})"));
}

TEST(Series, WhatIsNoSuchDataIsCorrupt) {
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string("<html>"),
        std::string(R"({"resultType":"vector"})"), vector_data("{}"), vector_data("[1]"),
        vector_data(R"([{"value":[1]}])"), vector_data(R"([{"value":[1,"2","3"]}])"),
        vector_data(R"([{"value":["1","2"]}])"), vector_data(R"([{"value":[1,2]}])"),
        vector_data(R"([{"value":[1,"x"]}])"), vector_data(R"([{"value":[1,""]}])"),
        vector_data(R"([{"value":[1,"2 "]}])"), vector_data(R"([{"metric":{"a":1}}])"),
        vector_data(R"([{"value":[1,"2"]})"), vector_data(R"([{"value":[1,"2"]},)"),
        matrix_data("[]")}) {
    const auto read = vector_of(bad);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << bad;
  }
  for (const std::string& bad :
       {vector_data("[]"), matrix_data(R"([{"values":[1]}])"), matrix_data(R"([{"values":[[1]]}])"),
        matrix_data(R"([{"values":[[1,"x"]]}])"), matrix_data(R"([{"values":7}])")}) {
    EXPECT_FALSE(matrix_of(bad).has_value()) << bad;
  }
}

TEST(Series, ListsOfTextsAndOfLabelSets) {
  std::vector<std::string> texts;
  const auto take_text = [&texts](std::string_view text) { texts.emplace_back(text); };
  EXPECT_TRUE(read_texts(R"(["a","b\"c"])", take_text).has_value());
  EXPECT_THAT(texts, ElementsAre("a", "b\"c"));
  std::vector<std::string> sets;
  const auto take_set = [&sets](const LabelViews& labels) {
    EXPECT_EQ(value_of(labels, "job"), "x");
    EXPECT_EQ(value_of(labels, "none"), "");
    EXPECT_TRUE(std::is_sorted(labels.begin(), labels.end()));
    sets.push_back(text_of(labels));
  };
  EXPECT_TRUE(
      read_label_sets(R"([{"job":"x","__name__":"up"},{"job":"x"}])", take_set).has_value());
  EXPECT_THAT(sets, ElementsAre(R"(up{job="x"})", R"({job="x"})"));
  const auto ignore = [](const auto& /*item*/) {};
  EXPECT_TRUE(read_texts("null", ignore).has_value());
  EXPECT_TRUE(read_label_sets("null", ignore).has_value());
  for (const char* bad : {"{}", "[1]", "[\"a\"", "[", "", "\"a\"", R"([{"a":1}])"}) {
    EXPECT_FALSE(read_texts(bad, ignore).has_value()) << bad;
    EXPECT_FALSE(read_label_sets(bad, ignore).has_value()) << bad;
  }
}

}  // namespace
}  // namespace vigia::wire::prometheus_api
