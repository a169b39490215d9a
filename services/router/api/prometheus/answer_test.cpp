#include "services/router/api/prometheus/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::prometheus {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

wire::prometheus_api::Envelope envelope(std::string body) {
  return *wire::prometheus_api::Envelope::read(std::move(body));
}

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

TEST(Answer, AStoresAnswerIsPassedOnAsItIs) {
  const auto answer = passed_on(envelope(
      R"({"status":"success","data":[1],"warnings":["PromQL warning: w","remote 10.0.0.1:9"]})"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"success","data":[1],"warnings":["PromQL warning: w"]})");
  EXPECT_EQ(passed_on(envelope(R"({"status":"error","errorType":"bad_data","error":"e"})")).status,
            400);
  EXPECT_EQ(passed_on(tl::unexpected<Error>(Error{ErrorCode::kInternal, "broke off"})).status, 503);
  EXPECT_EQ(passed_on(tl::unexpected<Error>(Error{ErrorCode::kOverLimit, "wait"})).status, 429);
}

}  // namespace
}  // namespace vigia::router::api::prometheus
