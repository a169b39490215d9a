#include "services/router/api/loki/answer.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

Labels shop(std::string level) {
  return Labels::from({{"service_name", "shop"}, {"level", std::move(level)}});
}

LogStats stats() {
  LogStats made;
  made.lines = 10;
  made.bytes = 500;
  made.returned = 3;
  made.took = std::chrono::milliseconds(500);
  return made;
}

constexpr std::string_view kStats =
    R"("stats":{"summary":{"bytesProcessedPerSecond":1000,"linesProcessedPerSecond":20,)"
    R"("totalBytesProcessed":500,"totalLinesProcessed":10,"execTime":0.5,"totalEntriesReturned":3}})";

TEST(LokiAnswer, LinesStandWithTheirStreamInTheOrderOfTheirComing) {
  StreamsAnswer answer(false);
  const std::size_t first = answer.add({2, "two \"q\"", shop("info"), {}});
  EXPECT_EQ(first,
            std::string_view(R"({"level":"info","service_name":"shop"}["2","two \"q\""])").size());
  answer.add({9, "of another", shop("error"), {}});
  EXPECT_EQ(answer.add({1, "one", shop("info"), {}}), std::string_view(R"(,["1","one"])").size());
  EXPECT_EQ(
      answer.finish(stats(), "", {}),
      std::string(R"({"status":"success","data":{"resultType":"streams","result":[)") +
          R"({"stream":{"level":"error","service_name":"shop"},"values":[["9","of another"]]},)"
          R"({"stream":{"level":"info","service_name":"shop"},)"
          R"("values":[["2","two \"q\""],["1","one"]]}],)" +
          std::string(kStats) + "}}");
}

TEST(LokiAnswer, WhatALineSaysOfItselfIsALabelOrStandsBesideIt) {
  const AnsweredLine line{7, "x", shop("info"), Labels::from({{"trace_id", "0e"}}),
                          Labels::from({{"code", "500"}})};
  StreamsAnswer of_old(false);
  of_old.add(line);
  EXPECT_NE(of_old.finish(stats(), "", {})
                .find(R"({"code":"500","level":"info","service_name":"shop","trace_id":"0e"},)"
                      R"("values":[["7","x"]])"),
            std::string::npos);
  StreamsAnswer by_category(true);
  by_category.add(line);
  by_category.add({6, "plain", shop("info"), {}});
  const std::string body = by_category.finish(stats(), "0a", {"it is short"});
  EXPECT_NE(body.find(R"("resultType":"streams","encodingFlags":["categorize-labels"])"),
            std::string::npos);
  EXPECT_NE(
      body.find(
          R"({"level":"info","service_name":"shop"},"values":[["7","x",{"structuredMetadata":)"
          R"({"trace_id":"0e"},"parsed":{"code":"500"}}],["6","plain",{}]])"),
      std::string::npos)
      << body;
  EXPECT_TRUE(body.ends_with(R"(,"cursor":"0a"},"warnings":["it is short"]})")) << body;
}

TEST(LokiAnswer, SamplesAreWrittenAsPrometheusWritesThem) {
  logql::metrics::MetricAnswer answer;
  answer.series = {{Labels::from({{"level", "info"}}), {{1'664'088'804'500, 0.1}, {2'000, NAN}}},
                   {Labels(), {{3'000, HUGE_VAL}}}};
  const auto begin = [](const std::string& type) {
    return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)";
  };
  const access::ByteShares shares({});
  auto held = shares.hold("cliente-a");
  const auto body_of = [&](bool is_instant, std::vector<std::string> warnings = {}) {
    return metric_answer(answer, {is_instant, stats(), std::move(warnings)}, held)->body;
  };
  EXPECT_EQ(body_of(false), begin("matrix") +
                                R"([{"metric":{"level":"info"},"values":[[1664088804.5,"0.1"],)"
                                R"([2,"NaN"]]},{"metric":{},"values":[[3,"+Inf"]]}],)" +
                                std::string(kStats) + "}}");
  answer.series = {{Labels(), {{3'000, -2}}}};
  EXPECT_EQ(body_of(true, {"b", "a", "b"}), begin("vector") +
                                                R"([{"metric":{},"value":[3,"-2"]}],)" +
                                                std::string(kStats) + R"(},"warnings":["a","b"]})");
  answer.is_scalar = true;
  EXPECT_EQ(body_of(true), begin("scalar") + R"([3,"-2"],)" + std::string(kStats) + "}}");
  answer = {};
  EXPECT_EQ(body_of(true), begin("vector") + "[]," + std::string(kStats) + "}}");
}

// Series by series: what has no room is not made whole before it is refused.
TEST(LokiAnswer, SamplesAreCountedBeforeTheBodyIsWhole) {
  logql::metrics::MetricAnswer answer;
  answer.series.assign(1'000, {Labels::from({{"level", "info"}}), {{3'000, 1}}});
  const access::ByteShares shares({.customer_max = 200'000});
  auto held = shares.hold("cliente-a");
  ASSERT_TRUE(held.grow(bytes_of(answer)));
  EXPECT_GE(bytes_of(answer), 1'000 * (sizeof(logql::metrics::MetricPoint) + 9));
  ASSERT_LT(shares.bytes(), 199'000U);
  ASSERT_TRUE(held.grow(199'000 - shares.bytes()));
  const auto refused = metric_answer(answer, {false, stats(), {}}, held);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_LE(shares.bytes(), 200'000U);
}

TEST(LokiAnswer, AnErrorIsItsSentence) {
  const net::Response response =
      error_form({ErrorCode::kOverLimit, "too many", std::chrono::seconds(2)}, 429);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.body, "too many");
  EXPECT_EQ(response.headers.get("retry-after"), "2");
  EXPECT_EQ(response.headers.count("content-type"), 1U);
  EXPECT_EQ(response.headers.get("content-type"), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace vigia::router::api::loki
