#include "services/router/json/lists.hpp"

#include <gtest/gtest.h>

namespace vigia::router::json {
namespace {

TEST(Lists, SamplesOfAMatrixAreRead) {
  const auto samples = read_matrix_samples(
      R"({"resultType":"matrix","result":[{"metric":{"of_customer":"a"},"values":[[1.5,"60"],[2,"7.5"]]},)"
      R"({"metric":{},"values":[[3,"8"]]}]})",
      "of_customer");
  ASSERT_TRUE(samples.has_value());
  ASSERT_EQ(samples->at("a").size(), 2U);
  EXPECT_EQ(samples->at("a")[0].timestamp_ms, 1'500);
  EXPECT_EQ(samples->at("a")[1].value, 7.5);
  EXPECT_EQ(samples->at("")[0].value, 8);
  EXPECT_FALSE(read_matrix_samples("[]", "of_customer").has_value());
}

TEST(Lists, TextsAndSeriesReadAndWrite) {
  const auto texts = read_texts(R"(["a","b\"c"])");
  ASSERT_TRUE(texts.has_value());
  EXPECT_EQ(merged({*texts}), (std::vector<std::string_view>{"a", "b\"c"}));
  EXPECT_EQ(read_texts("null")->size(), 0U);
  for (const char* wrong : {"{}", "[1]", "[\"a\"", "[", "", "\"a\""}) {
    EXPECT_FALSE(read_texts(wrong).has_value()) << wrong;
  }
  std::string out = "of before";
  write_texts({"a\n", "b"}, out);
  EXPECT_EQ(out, "of before[\"a\\n\",\"b\"]");
  const auto series = read_series(R"([{"b":"2\n","__name__":"up"},{"__name__":"up","b":"2\n"}])");
  ASSERT_TRUE(series.has_value());
  EXPECT_FALSE(read_series(R"([{"b":2}])").has_value());
  out.clear();
  write_values(merged({*series, *series}), out);
  EXPECT_EQ(out, R"([{"__name__":"up","b":"2\n"}])");
  out.clear();
  write_values({}, out);
  EXPECT_EQ(out, "[]");
}

TEST(Lists, MatrixTimesBelongToALabelsValueAndAreSorted) {
  using Times = std::map<std::string, std::vector<TimestampMs>>;
  EXPECT_EQ(read_matrix_times(
                R"({"resultType":"matrix","result":[{"metric":{},"values":[[2.5,"1"],[60,"1"]]},)"
                R"({"values":[[3,"1"]]},{"metric":{"c":"x"},"values":[[4,"1"]]}]})",
                "c"),
            (Times{{"", {2'500, 3'000, 60'000}}, {"x", {4'000}}}));
  EXPECT_EQ(read_matrix_times(R"({"resultType":"matrix","result":[]})", "c"), Times());
  EXPECT_FALSE(read_matrix_times("[]", "c").has_value());
}

TEST(Lists, WholeNumbersOfAnObject) {
  const auto read = [](std::string_view json) { return read_integers(json, {"b", "a"}); };
  EXPECT_EQ(read(R"({"a":1,"b":-20,"c":"x"})").value(), (std::vector<std::int64_t>{-20, 1}));
  for (const char* json :
       {"", "[]", "{}", R"({"a":1})", R"({"a":1,"b":1.5})", R"({"a":1,"b":"1"})"}) {
    EXPECT_FALSE(read(json).has_value()) << json;
  }
}

TEST(Lists, TheOneValueOfAVector) {
  EXPECT_EQ(
      read_vector_value(R"({"resultType":"vector","result":[{"metric":{},"value":[1,"42"]}]})"),
      42);
  EXPECT_EQ(read_vector_value(R"({"resultType":"vector","result":[]})"), 0);
  using Values = std::map<std::string, double>;
  EXPECT_EQ(
      read_vector_values(
          R"({"resultType":"vector","result":[{"metric":{"c":"a"},"value":[1,"42"]},{"metric":{},"value":[1,"7"]}]})",
          "c"),
      (Values{{"a", 42}, {"", 7}}));
  EXPECT_FALSE(read_vector_values("[]", "c").has_value());
  EXPECT_EQ(read_text_of(R"({"version":"2.42.0"})", "version"), "2.42.0");
  EXPECT_EQ(read_text_of(R"({"version":2})", "version"), "");
}

TEST(Lists, SeriesOfAnAnswerAreCountedByTheirLabels) {
  EXPECT_EQ(count_series(R"({"resultType":"vector","result":[]})"), 0U);
  EXPECT_EQ(count_series(R"({"resultType":"scalar","result":[1,"1"]})"), 0U);
  EXPECT_EQ(count_series(R"({"resultType":"vector","result":[{"metric":{},"value":[1,"1"]},)"
                         R"({"metric":{"metric":"{","a":"\"metric\":{","\"metric":":{"},)"
                         R"("value":[1,"1"]}]})"),
            2U);
  EXPECT_EQ(std::string_view(R"({"metric":{},"value":[1,"1"]})").size(), kSeriesBytesMin);
}

}  // namespace
}  // namespace vigia::router::json
