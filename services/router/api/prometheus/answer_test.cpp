#include "services/router/api/prometheus/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::prometheus {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

json::Envelope envelope(std::string body) { return *json::Envelope::read(std::move(body)); }

TEST(Answer, NotesStandBesideTheData) {
  const auto response = success("[1]", {{"w"}, {"i", "j\""}, "hot=a/b"});
  EXPECT_EQ(response.body,
            R"({"status":"success","data":[1],"warnings":["w"],"infos":["i","j\""]})");
  EXPECT_EQ(response.headers.get("x-vigia-served"), "hot=a/b");
  EXPECT_EQ(success("1", {}).body, R"({"status":"success","data":1})");
}

TEST(Answer, RefusalsNeverShowAnAddress) {
  for (const auto* text :
       {"Get \\\"http://10.0.0.1/x\\\": refused", "dial tcp 10.0.0.1", "lookup db:9042: no"}) {
    const auto response = refusal(envelope(
        std::string(R"({"status":"error","errorType":"execution","error":")") + text + "\"}"));
    EXPECT_EQ(response.status, 422);
    EXPECT_THAT(response.body, HasSubstr("could not be evaluated"));
  }
  const auto response =
      refusal(envelope(R"({"status":"error","errorType":"bad_data","error":"1:12: parse error"})"));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("1:12: parse error"));
}

TEST(Answer, TooManySamplesSaysWhatHelps) {
  const auto answer = refusal(envelope(
      R"({"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"})"));
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find("too many samples"), std::string::npos);
  EXPECT_NE(answer.body.find("longer step"), std::string::npos);
}

TEST(Answer, OnlyPromqlsOwnRemarksPass) {
  const std::vector<std::string> texts{"PromQL info: no counter", "remote read 127.0.0.1:9096",
                                       "PromQL warning: x", "results truncated due to limit"};
  EXPECT_EQ(promql_remarks(texts), (std::vector<std::string>{texts[0], texts[2], texts[3]}));
}

// D-F1: the eleventh remark on a query was taken for a store that is down.
TEST(Answer, TheNumberOfRemarksLeftOutIsARemark) {
  const std::vector<std::string> texts{
      "1 more warning annotations omitted", "25 more info annotations omitted",
      " more warning annotations omitted", "3 more errors of 127.0.0.1:9096 omitted"};
  EXPECT_EQ(promql_remarks(texts), (std::vector<std::string>{texts[0], texts[1]}));
  const auto warned = envelope(
      R"({"status":"success","data":1,"warnings":["1 more warning annotations omitted"]})");
  EXPECT_FALSE(is_incomplete(warned));
  EXPECT_TRUE(leaves_warnings_out(warned));
  EXPECT_FALSE(leaves_warnings_out(
      envelope(R"({"status":"success","data":1,"warnings":["PromQL warning: x"]})")));
}

TEST(Answer, AnyOtherWarningMeansIncomplete) {
  EXPECT_TRUE(is_incomplete(envelope(R"({"status":"success","data":1,"warnings":["remote"]})")));
  EXPECT_FALSE(
      is_incomplete(envelope(R"({"status":"success","data":1,"warnings":["PromQL info: x"]})")));
  // The caller's own limit is no store that does not answer: the past must not be left out for it.
  EXPECT_FALSE(is_incomplete(
      envelope(R"({"status":"success","data":1,"warnings":["results truncated due to limit"]})")));
  EXPECT_FALSE(is_incomplete(envelope(R"({"status":"success","data":1})")));
}

}  // namespace
}  // namespace vigia::router::api::prometheus
