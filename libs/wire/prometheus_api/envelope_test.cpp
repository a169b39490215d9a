#include "libs/wire/prometheus_api/envelope.hpp"

#include <gtest/gtest.h>

namespace vigia::wire::prometheus_api {
namespace {

TEST(Envelope, DataStaysAsItCame) {
  const auto read = Envelope::read(
      R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1.5,"0.10"]}]},)"
      R"("warnings":["w \"1\""],"infos":["i"]})");
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_success());
  EXPECT_EQ(read->data(), R"({"resultType":"vector","result":[{"value":[1.5,"0.10"]}]})");
  EXPECT_EQ(read->warnings(), std::vector<std::string>{"w \"1\""});
  EXPECT_EQ(read->infos(), std::vector<std::string>{"i"});
}

TEST(Envelope, SurvivesBeingMoved) {
  auto read = Envelope::read(R"({"status":"success","data":"x"})");
  ASSERT_TRUE(read.has_value());
  const Envelope moved = std::move(*read);
  EXPECT_EQ(moved.data(), "\"x\"");
}

TEST(Envelope, ErrorsCarryTypeAndText) {
  const auto read =
      Envelope::read(R"({"status":"error","errorType":"bad_data","error":"1:2: no"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_success());
  EXPECT_EQ(read->error_type(), "bad_data");
  EXPECT_EQ(read->error(), "1:2: no");
}

TEST(Envelope, AnythingElseIsCorrupt) {
  for (const auto* text :
       {"", "x", "[]", "{}", "{\"status\":1}", "<html>", "{\"status\":\"succ", "{\"data\":{}}"}) {
    const auto read = Envelope::read(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

TEST(Envelope, StatsAreReadAndLeftOut) {
  const std::string stats =
      R"(,"stats":{"timings":{"evalTotalTime":0.1},"samples":{"totalQueryableSamples":7,"peakSamples":42}})";
  const std::string data =
      R"({"resultType":"vector","result":[{"metric":{"a":"b","stats":",\"stats\":{"},"value":[1,"1"]}])";
  for (const std::string_view tail : {R"(})", R"(,"warnings":["w"]})"}) {
    auto read = Envelope::read(
        std::string(Envelope::kPlainStart).append(data).append(stats).append("}").append(tail));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->peak_samples(false), 42U);
    EXPECT_EQ(read->data(), data + stats + "}");
    EXPECT_EQ(read->peak_samples(true), 42U);
    EXPECT_EQ(read->data(), data + "}");
    EXPECT_EQ(read->peak_samples(true), std::nullopt);
    const bool is_plain = read->warnings().empty();
    EXPECT_EQ(std::move(*read).take_plain().has_value(), is_plain);
  }
}

TEST(Envelope, WhatLooksLikeStatsAndIsNoneStays) {
  for (const std::string_view data :
       {R"({"result":[{"metric":{"a":"b","stats":"x"}}]})", R"({"a":1,"stats":{"samples":{}}})",
        R"({"a":1,"stats":{"samples":{"peakSamples":"many"}}})", R"([])", R"({})"}) {
    auto read = Envelope::read(std::string(Envelope::kPlainStart).append(data).append("}"));
    ASSERT_TRUE(read.has_value()) << data;
    EXPECT_EQ(read->peak_samples(true), std::nullopt) << data;
    EXPECT_EQ(read->data(), data);
  }
}

}  // namespace
}  // namespace vigia::wire::prometheus_api
