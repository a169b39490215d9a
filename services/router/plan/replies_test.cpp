#include "services/router/plan/replies.hpp"

#include <gtest/gtest.h>

#include "libs/base/json_text.hpp"
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

std::string refused(const Result<wire::prometheus_api::Envelope>& answer) {
  const auto refusal = refusal_of(answer);
  return refusal ? std::string(to_string(refusal->code)) + ": " + refusal->message : "none";
}
std::string refused_behind(const std::string& text) {
  return refused(testing::envelope_of(R"({"status":"success","data":1,"warnings":[)" +
                                      json_text("remote_read: remote server "
                                                "http://10.0.0.1:9096/api/v1/read " +
                                                text) +
                                      "]}"));
}

// What a store refuses is told as that, and not as a store that does not answer.
TEST(Replies, WhatAStoreBehindRefusesIsToldInItsWords) {
  struct Case {
    const char* warning;
    const char* told;
  };
  for (const Case& each :
       {Case{"returned HTTP status 429 Too Many Requests: the query matches more than 100000 "
             "series; narrow it",
             "over_limit: the query matches more than 100000 series; narrow it"},
        Case{"returned http status 413 Request Entity Too Large: too long", "too_large: too long"},
        Case{"returned HTTP status 400 Bad Request: no such expression",
             "invalid: no such "
             "expression"},
        Case{"returned HTTP status 422 Unprocessable Entity: x", "invalid: x"},
        Case{"returned HTTP status 503 Service Unavailable: try again", "none"},
        Case{"returned HTTP status 401 Unauthorized: wrong token", "none"},
        Case{"returned HTTP status 429 Too Many Requests: <html>busy</html>", "none"},
        Case{"returned HTTP status 429 Too Many Requests: ask db:9042", "none"},
        Case{"returned HTTP status 429", "none"}, Case{"connection refused", "none"}}) {
    EXPECT_EQ(refused_behind(each.warning), each.told) << each.warning;
  }
}

TEST(Replies, ARefusalMayComeInEveryKindOfAnswer) {
  const std::string error = R"({"status":"error","errorType":"execution","error":)";
  EXPECT_EQ(refused(testing::envelope_of(error + R"("expanding series: remote server http://x )"
                                                 R"(returned HTTP status 429 T: less"})")),
            "over_limit: less");
  EXPECT_EQ(refused(testing::envelope_of(error + R"("expanding series: reset"})")), "none");
  EXPECT_EQ(refused(testing::envelope_of(error + R"("too many samples"})")),
            "invalid: too many samples");
  EXPECT_EQ(refused(testing::data_of("[]")), "none");
  for (const auto code : {ErrorCode::kUnavailable, ErrorCode::kCorrupt, ErrorCode::kInternal}) {
    EXPECT_EQ(refused(tl::unexpected<Error>(Error{code, "why"})), "none");
  }
  EXPECT_EQ(refused(tl::unexpected<Error>(Error{ErrorCode::kOverLimit, "why"})), "over_limit: why");
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
