#include "libs/otlp/answer.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "libs/net/rpc_status.hpp"

namespace vigia::otlp {
namespace {

using namespace std::chrono_literals;
using Meaning = ExportAnswer::Meaning;
using net::GrpcCode;

net::ClientResponse with_status(int status) {
  net::ClientResponse response;
  response.status = status;
  return response;
}

net::GrpcReply with_code(int code) {
  net::GrpcReply reply;
  reply.code = static_cast<GrpcCode>(code);
  reply.message = "said";
  return reply;
}

/// A response message, as bytes: the partial success {1: count, 2: text}.
std::string partial(std::string_view inner) {
  return "\x0a" + std::string(1, static_cast<char>(inner.size())) + std::string(inner);
}

// R-EXP-2.
TEST(HttpAnswer, EveryStatusHasItsRow) {
  // All that a status can be, so that no row is forgotten: docs/decisions/0013.
  const std::set<int> later{401, 402, 403, 404, 405, 407, 408, 410, 415, 421,
                            426, 429, 431, 501, 502, 503, 504, 505, 511};
  for (int status = 100; status < 600; ++status) {
    Meaning expected = Meaning::kRefused;
    if (status < 400 || later.contains(status)) {
      expected = Meaning::kLater;
    } else if (status >= 500) {
      expected = Meaning::kBroken;
    }
    if (status >= 200 && status < 300) expected = Meaning::kTaken;
    EXPECT_EQ(judge_http(with_status(status)).meaning, expected) << status;
  }
}

TEST(HttpAnswer, ARedirectCostsNoData) {
  net::ClientResponse response = with_status(302);
  response.headers.add("location", "https://login.example/");
  EXPECT_EQ(judge_http(response).meaning, Meaning::kLater);
}

TEST(HttpAnswer, AWebPageHasTakenNothing) {
  const auto answer_of = [](std::string_view type) {
    net::ClientResponse response = with_status(200);
    response.headers.add("content-type", std::string(type));
    response.body = "<html>log in</html>";
    return judge_http(response);
  };
  for (const char* type : {"text/html; charset=utf-8", "Text/HTML", "TEXT/html ;charset=x"}) {
    const ExportAnswer answer = answer_of(type);
    EXPECT_EQ(answer.meaning, Meaning::kLater) << type;
    EXPECT_NE(answer.why.find("web page"), std::string::npos) << type;
  }
}

TEST(HttpAnswer, SaysWhenAndWhy) {
  net::ClientResponse response = with_status(503);
  response.headers.add("retry-after", "7");
  response.body = "disk\nfull";
  const ExportAnswer answer = judge_http(response);
  EXPECT_EQ(answer.retry_after, 7s);
  EXPECT_EQ(answer.why, "HTTP 503: disk full");
  EXPECT_FALSE(answer.is_timeout);
}

TEST(HttpAnswer, OfSizeAndEncoding) {
  EXPECT_TRUE(judge_http(with_status(413)).is_too_large);
  EXPECT_FALSE(judge_http(with_status(400)).is_too_large);
  EXPECT_TRUE(judge_http(with_status(415)).is_encoding_unknown);
  EXPECT_FALSE(judge_http(with_status(404)).is_encoding_unknown);
}

// R-EXP-1.
TEST(GrpcAnswer, EveryCodeHasItsRow) {
  const std::map<int, Meaning> rows{
      {0, Meaning::kTaken},   {1, Meaning::kLater},   {2, Meaning::kBroken},
      {3, Meaning::kRefused}, {4, Meaning::kLater},   {5, Meaning::kLater},
      {6, Meaning::kRefused}, {7, Meaning::kLater},   {8, Meaning::kRefused},
      {9, Meaning::kRefused}, {10, Meaning::kLater},  {11, Meaning::kLater},
      {12, Meaning::kLater},  {13, Meaning::kBroken}, {14, Meaning::kLater},
      {15, Meaning::kLater},  {16, Meaning::kLater},
  };
  for (const auto& [code, meaning] : rows) {
    const ExportAnswer answer = judge_grpc(with_code(code));
    EXPECT_EQ(answer.meaning, meaning) << code;
    EXPECT_EQ(answer.is_timeout, code == 4) << code;
    EXPECT_EQ(answer.is_encoding_unknown, code == 12) << code;
    EXPECT_EQ(answer.is_too_large, code == 8) << code;
  }
}

TEST(GrpcAnswer, ExhaustedWithAWaitIsLater) {
  net::GrpcReply reply = with_code(8);
  reply.details = net::encode_rpc_status(reply.code, "", 3s);
  const ExportAnswer answer = judge_grpc(reply);
  EXPECT_EQ(answer.meaning, Meaning::kLater);
  EXPECT_EQ(answer.retry_after, 3s);
  EXPECT_FALSE(answer.is_too_large);
}

TEST(NoAnswer, IsLaterWhateverWentWrong) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kDeadline, ErrorCode::kInvalid,
                               ErrorCode::kTooLarge, ErrorCode::kCorrupt, ErrorCode::kForbidden}) {
    const ExportAnswer answer = judge_failure({code, "no connection"});
    EXPECT_EQ(answer.meaning, Meaning::kLater) << static_cast<int>(code);
    EXPECT_EQ(answer.is_timeout, code == ErrorCode::kDeadline);
    EXPECT_EQ(judge_http(fail(code, "m")).meaning, Meaning::kLater);
    EXPECT_EQ(judge_grpc(fail(code, "m")).meaning, Meaning::kLater);
  }
}

TEST(PartialSuccess, IsReadAlike) {
  net::ClientResponse response = with_status(200);
  response.body = partial("\x08\x05\x12\x03why");
  EXPECT_EQ(judge_http(response).rejected, 5U);
  EXPECT_EQ(judge_http(response).why, "why");
  net::GrpcReply reply = with_code(0);
  reply.body = response.body + "\x7a\x01x";  // an unknown field behind it
  EXPECT_EQ(judge_grpc(reply).rejected, 5U);
  EXPECT_EQ(judge_grpc(reply).why, "why");
}

TEST(PartialSuccess, ATextWithoutACountIsAWarning) {
  net::ClientResponse response = with_status(200);
  response.body = partial("\x12\x03why");
  EXPECT_EQ(judge_http(response).meaning, Meaning::kTaken);
  EXPECT_EQ(judge_http(response).rejected, 0U);
  EXPECT_EQ(judge_http(response).why, "why");
}

TEST(PartialSuccess, WhatIsGarbledIsTakenAllTheSame) {
  net::ClientResponse response = with_status(200);
  response.body = partial("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");  // -1
  EXPECT_EQ(judge_http(response).meaning, Meaning::kTaken);
  EXPECT_EQ(judge_http(response).rejected, 0U);
  response.body = partial("\x08\x05\x12\x7fshort");
  const ExportAnswer answer = judge_http(response);
  EXPECT_EQ(answer.meaning, Meaning::kTaken);
  EXPECT_EQ(answer.rejected, 0U);
  EXPECT_NE(answer.why, "");
}

}  // namespace
}  // namespace vigia::otlp
