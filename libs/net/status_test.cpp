#include "libs/net/status.hpp"

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/rpc_status.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;

TEST(Headers, LowerCasesNamesAndKeepsOrder) {
  Headers headers{{"a", "1"}};
  headers.add("Authorization", "Bearer x");
  headers.add("AUTHORIZATION", "Bearer y");
  EXPECT_EQ(headers.get("authorization"), "Bearer x");
  EXPECT_EQ(headers.count("authorization"), 2U);
  EXPECT_EQ(headers.get("none"), "");
}

// R-OTLP-8, R-OTLP-11.
TEST(Status, APassingFaultIsNever500) {
  for (const ErrorCode code :
       {ErrorCode::kOverLimit, ErrorCode::kUnavailable, ErrorCode::kDeadline}) {
    const auto error = error_from_http(http_status(code), {}, "");
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, code);
    EXPECT_TRUE(is_retryable(*error));
    EXPECT_TRUE(is_retryable(*error_from_grpc(grpc_code(code), "", "")));
  }
}

// R-EXP-2.
TEST(Status, OnlyFourHttpCodesAreRetryable) {
  for (int status = 300; status < 600; ++status) {
    const bool expected = status == 429 || status == 502 || status == 503 || status == 504;
    EXPECT_EQ(is_retryable(*error_from_http(status, {}, "x")), expected) << status;
  }
  EXPECT_FALSE(error_from_http(204, {}, "").has_value());
}

// R-EXP-1.
TEST(Status, GrpcRetrySetIsTheSpecifications) {
  for (int number = 1; number <= 16; ++number) {
    const bool expected =
        number == 1 || number == 4 || number == 10 || number == 11 || number == 14 || number == 15;
    const auto error = error_from_grpc(static_cast<GrpcCode>(number), "m", "");
    EXPECT_EQ(is_retryable(*error), expected) << number;
  }
  EXPECT_FALSE(error_from_grpc(GrpcCode::kOk, "", "").has_value());
}

// R-EXP-1, R-OTLP-3: final without RetryInfo.
TEST(Status, ResourceExhaustedIsRetryableOnlyWithRetryInfo) {
  const auto details = encode_rpc_status(GrpcCode::kResourceExhausted, "slow down", 1500ms);
  const auto error = error_from_grpc(GrpcCode::kResourceExhausted, "slow down", details);
  EXPECT_EQ(error->code, ErrorCode::kOverLimit);
  EXPECT_EQ(error->retry_after, 1500ms);
  EXPECT_EQ(error_from_grpc(GrpcCode::kResourceExhausted, "", "")->code, ErrorCode::kTooLarge);
}

// R-EXP-3.
TEST(Status, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(error_from_http(503, {{"retry-after", "7"}}, "")->retry_after, 7s);
  EXPECT_EQ(error_from_http(503, {{"retry-after", "soon"}}, "")->retry_after, std::nullopt);
  EXPECT_EQ(error_from_http(503, {{"retry-after", "99999999999"}}, "")->retry_after, 1h);
  const std::time_t then = std::time(nullptr) + 100;
  char text[64];
  std::tm date{};
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &date));
  const auto wait = error_from_http(429, {{"retry-after", text}}, "")->retry_after;
  ASSERT_TRUE(wait.has_value());
  EXPECT_GE(*wait, 90s);
  EXPECT_LE(*wait, 100s);
}

// R-OTLP-7, R-OTLP-8.
TEST(OtlpError, IsWrittenInTheRequestsOwnEncoding) {
  RequestHead head;
  const Error busy{ErrorCode::kUnavailable, "disk \"full\"\n", 90s};
  head.headers.add("content-type", "application/json");
  const Response json = otlp_error(head, busy);
  EXPECT_EQ(json.status, 503);
  EXPECT_EQ(json.headers.get("retry-after"), "90");
  EXPECT_EQ(json.headers.get("content-type"), "application/json");
  EXPECT_EQ(json.body,
            R"({"code":14,"message":"disk \"full\"\n","details":[{"@type":"type.googleapis.com/)"
            R"(google.rpc.RetryInfo","retryDelay":"90s"}]})");

  head.headers = {{"content-type", "application/x-protobuf"}};
  const Response binary = otlp_error(head, {ErrorCode::kInvalid, "bad"});
  EXPECT_EQ(binary.status, 400);
  EXPECT_EQ(read_rpc_status(binary.body).message, "bad");
  EXPECT_EQ(error_from_http(400, binary.headers, binary.body)->message, "HTTP 400: bad");

  head.transport = Transport::kGrpc;
  const Response grpc = otlp_error(head, busy);
  EXPECT_EQ(grpc.grpc_code, GrpcCode::kUnavailable);
  EXPECT_EQ(error_from_grpc(grpc.grpc_code, grpc.grpc_message, grpc.grpc_details)->retry_after,
            90s);
  EXPECT_EQ(otlp_error(head, {ErrorCode::kTooLarge, "big"}).grpc_details, "");
}

// R-OTLP-4: however long the reason, the answer is short, and its text is text.
TEST(OtlpError, ALongReasonIsCutBehindAWholeCharacter) {
  std::string kept(kOtlpReasonBytesMax - 1, 'x');
  const Error error{ErrorCode::kInvalid, kept + "\u00e9" + std::string(1U << 20U, 'y')};
  RequestHead head;
  head.headers = {{"content-type", "application/x-protobuf"}};
  EXPECT_EQ(read_rpc_status(otlp_error(head, error).body).message, kept);
  head.headers = {{"content-type", "application/json"}};
  const std::string begin = R"({"code":3,"message":")" + kept + R"(","details":[{"@type":)";
  EXPECT_TRUE(otlp_error(head, error).body.starts_with(begin));
  head.transport = Transport::kGrpc;
  EXPECT_EQ(otlp_error(head, error).grpc_message, kept);
  kept += 'x';
  head.transport = Transport::kHttp2;
  EXPECT_EQ(otlp_error(head, {ErrorCode::kTooLarge, kept}).body,
            R"({"code":8,"message":")" + kept + R"("})");
}

// R-OTLP-7: a path and what is wrong there, in the request's own encoding.
TEST(OtlpError, ABadRequestSaysWhere) {
  RequestHead head;
  const Error error{ErrorCode::kInvalid, "no, at resourceSpans[0].scopeSpans: must be a list"};
  head.headers = {{"content-type", "Application/JSON; charset=utf-8"}};
  EXPECT_EQ(
      otlp_error(head, error).body,
      R"({"code":3,"message":"no, at resourceSpans[0].scopeSpans: must be a list","details":[{"@type":"type.googleapis.com/)"
      R"(google.rpc.BadRequest","fieldViolations":[{"field":"resourceSpans[0].scopeSpans",)"
      R"("description":"must be a list"}]}]})");
  head.headers = {{"content-type", "application/x-protobuf"}};
  const std::string any = otlp_error(head, error).body;
  EXPECT_EQ(read_rpc_status(any).message, error.message);
  EXPECT_TRUE(any.ends_with("\x1a\x5c\x0a\x29" + std::string(kBadRequestType) +
                            "\x12\x2f\x0a\x2d\x0a\x1bresourceSpans[0].scopeSpans\x12\x0e"
                            "must be a list"))
      << any;
  head.transport = Transport::kGrpc;
  EXPECT_EQ(otlp_error(head, error).grpc_details, any);
  EXPECT_EQ(otlp_error(head, {ErrorCode::kForbidden, "no"}).grpc_details, "");
  head.transport = Transport::kHttp1;
  head.headers = {{"content-type", "application/json"}};
  EXPECT_THAT(otlp_error(head, {ErrorCode::kInvalid, "all of it"}).body,
              testing::HasSubstr(R"("fieldViolations":[{"description":"all of it"}])"));
}

// R-OTLP-4: whatever is wrong, and however long its place and its words.
TEST(OtlpError, NoAnswerIsLong) {
  const std::string much(1U << 20U, '"');
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const Error error{static_cast<ErrorCode>(code), ", at " + much + ": " + much, 5s};
    for (const char* type : {"application/json", "application/x-protobuf"}) {
      RequestHead head;
      head.headers = {{"content-type", type}};
      EXPECT_LE(otlp_error(head, error).body.size(), 3'000U) << code << type;
      head.transport = Transport::kGrpc;
      const Response answer = otlp_error(head, error);
      EXPECT_LE(answer.grpc_message.size() + answer.grpc_details.size(), 2'000U) << code;
    }
  }
}

TEST(JsonError, NamesTheCode) {
  EXPECT_EQ(json_error({ErrorCode::kForbidden, "no \xff"}).body,
            "{\"error\":\"forbidden\",\"message\":\"no \xef\xbf\xbd\"}");
  EXPECT_EQ(prometheus_error({ErrorCode::kInvalid, "parse"}).body,
            R"({"status":"error","errorType":"bad_data","error":"parse"})");
}

}  // namespace
}  // namespace vigia::net
