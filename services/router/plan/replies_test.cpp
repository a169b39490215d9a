#include "services/router/plan/replies.hpp"

#include <gtest/gtest.h>

#include "services/router/testing/scripted_store.hpp"

namespace vigia::router::plan {
namespace {

Reply of_body(std::string body) { return reply_of(testing::envelope_of(std::move(body))); }
Reply warned(const std::string& warning) {
  return of_body(R"({"status":"success","data":1,"warnings":[")" + warning + "\"]}");
}
Reply of_error(ErrorCode code) { return reply_of(tl::unexpected<Error>(Error{code, "why"})); }

TEST(Replies, OnlyPromqlsOwnRemarksPass) {
  const std::vector<std::string> texts{"PromQL info: no counter", "remote read 127.0.0.1:9096",
                                       "PromQL warning: x", "results truncated due to limit"};
  EXPECT_EQ(promql_remarks(texts), (std::vector<std::string>{texts[0], texts[2], texts[3]}));
}

// D-F1: the eleventh remark on a query was taken for a store that is down.
TEST(Replies, TheNumberOfRemarksLeftOutIsARemark) {
  const std::vector<std::string> texts{
      "1 more warning annotations omitted", "25 more info annotations omitted",
      " more warning annotations omitted", "3 more errors of 127.0.0.1:9096 omitted"};
  EXPECT_EQ(promql_remarks(texts), (std::vector<std::string>{texts[0], texts[1]}));
  EXPECT_EQ(warned("1 more warning annotations omitted"), Reply::kMaybeShort);
  EXPECT_EQ(warned("25 more info annotations omitted"), Reply::kWhole);
  EXPECT_EQ(warned("PromQL warning: x"), Reply::kWhole);
}

TEST(Replies, AnyOtherWarningMeansThatSomethingIsMissing) {
  EXPECT_EQ(warned("remote"), Reply::kShort);
  EXPECT_EQ(warned("1 more warning annotations omitted\",\"remote"), Reply::kShort);
  EXPECT_EQ(warned("PromQL info: x"), Reply::kWhole);
  // The caller's own limit is no store that does not answer: the past must not be left out for it.
  EXPECT_EQ(warned("results truncated due to limit"), Reply::kWhole);
  EXPECT_EQ(of_body(R"({"status":"success","data":1})"), Reply::kWhole);
}

TEST(Replies, ARefusalIsTheCallersUnlessAStoreBehindItFailed) {
  const std::string error = R"({"status":"error","errorType":"execution","error":)";
  EXPECT_EQ(of_body(R"({"status":"error","errorType":"bad_data","error":"1:1: parse error"})"),
            Reply::kRefused);
  EXPECT_EQ(of_body(error + R"("too many samples"})"), Reply::kRefused);
  EXPECT_EQ(of_body(error + R"("expanding series: refused"})"), Reply::kBrokenOff);
  EXPECT_EQ(of_body(error + R"("too many samples","warnings":["remote"]})"), Reply::kBrokenOff);
  EXPECT_EQ(of_body(R"({"status":"error","errorType":"bad_data","error":"expanding series"})"),
            Reply::kRefused);
}

TEST(Replies, ErrorsSayWhoElseMayBeAsked) {
  EXPECT_EQ(of_error(ErrorCode::kUnavailable), Reply::kAway);
  EXPECT_EQ(of_error(ErrorCode::kCorrupt), Reply::kFaulty);
  EXPECT_EQ(of_error(ErrorCode::kInternal), Reply::kLost);
  for (const auto code :
       {ErrorCode::kDeadline, ErrorCode::kTooLarge, ErrorCode::kOverLimit, ErrorCode::kInvalid}) {
    EXPECT_EQ(of_error(code), Reply::kFailed);
  }
}

TEST(Replies, WhatAQueryHeldIsReadAndCutOut) {
  const std::string held =
      R"({"status":"success","data":{"resultType":"vector","result":[],"stats":)"
      R"({"samples":{"totalQueryableSamples":3,"peakSamples":7}}}})";
  for (const bool cut : {false, true}) {
    Result<wire::prometheus_api::Envelope> answer = testing::envelope_of(held);
    const auto cost = cost_of(answer, cut);
    ASSERT_TRUE(cost.has_value());
    EXPECT_EQ(cost->samples, 7U);
    EXPECT_EQ(answer->data().find("stats") == std::string_view::npos, cut);
    EXPECT_EQ(cost->bytes, answer->data().size());
  }
  Result<wire::prometheus_api::Envelope> silent = testing::data_of("[]");
  EXPECT_FALSE(cost_of(silent, true).has_value());
}

TEST(Replies, WhatWasTooMuchIsKnownToBeHeavy) {
  for (const auto code : {ErrorCode::kDeadline, ErrorCode::kTooLarge, ErrorCode::kUnavailable}) {
    Result<wire::prometheus_api::Envelope> answer = tl::unexpected<Error>(Error{code, "why"});
    EXPECT_EQ(cost_of(answer, true).has_value(), code != ErrorCode::kUnavailable);
  }
  for (const auto* error : {"query would load too many samples into memory", "parse error"}) {
    Result<wire::prometheus_api::Envelope> answer = testing::envelope_of(
        std::string(R"({"status":"error","errorType":"execution","error":")") + error + "\"}");
    EXPECT_EQ(cost_of(answer, true).has_value(), std::string(error) != "parse error");
  }
}

}  // namespace
}  // namespace vigia::router::plan
