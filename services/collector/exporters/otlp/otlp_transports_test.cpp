// What the delivery is told of an OTLP answer; what the answer means is libs/otlp's to say.
#include "services/collector/exporters/otlp/otlp_transports.hpp"

#include <string>

#include <gtest/gtest.h>

namespace vigia::collector::exporters::otlp {
namespace {

using Kind = delivery::Answer::Kind;

net::ClientResponse http_answer(int status) {
  net::ClientResponse response;
  response.status = status;
  return response;
}

net::GrpcReply grpc_answer(net::GrpcCode code) {
  net::GrpcReply reply;
  reply.code = code;
  return reply;
}

// Decision 13, a status of each of its rows.
TEST(OtlpAnswers, AStatusTellsTheDeliveryWhatToDo) {
  const struct {
    int status;
    Kind kind;
  } rows[] = {{200, Kind::kTaken},   {301, Kind::kRetry},   {401, Kind::kRetry},
              {402, Kind::kRetry},   {404, Kind::kRetry},   {407, Kind::kRetry},
              {415, Kind::kRetry},   {429, Kind::kRetry},   {501, Kind::kRetry},
              {503, Kind::kRetry},   {400, Kind::kRefused}, {413, Kind::kRefused},
              {422, Kind::kRefused}, {500, Kind::kBroken},  {599, Kind::kBroken}};
  for (const auto& row : rows)
    EXPECT_EQ(answer_of(vigia::otlp::judge_http(http_answer(row.status))).kind, row.kind)
        << row.status;
}

TEST(OtlpAnswers, ACodeTellsTheDeliveryWhatToDo) {
  using net::GrpcCode;
  const struct {
    GrpcCode code;
    Kind kind;
  } rows[] = {{GrpcCode::kOk, Kind::kTaken},
              {GrpcCode::kUnauthenticated, Kind::kRetry},
              {GrpcCode::kPermissionDenied, Kind::kRetry},
              {GrpcCode::kNotFound, Kind::kRetry},
              {GrpcCode::kUnimplemented, Kind::kRetry},
              {GrpcCode::kUnavailable, Kind::kRetry},
              {GrpcCode::kDataLoss, Kind::kRetry},
              {GrpcCode::kInvalidArgument, Kind::kRefused},
              {GrpcCode::kResourceExhausted, Kind::kRefused},
              {GrpcCode::kInternal, Kind::kBroken},
              {GrpcCode::kUnknown, Kind::kBroken}};
  for (const auto& row : rows)
    EXPECT_EQ(answer_of(vigia::otlp::judge_grpc(grpc_answer(row.code))).kind, row.kind)
        << static_cast<int>(row.code);
}

// The front lane holds what has no answer in time against its customer, what must wait not.
TEST(OtlpAnswers, WhatTheDeliveryWeighsGoesAlong) {
  vigia::otlp::ExportAnswer later{.meaning = vigia::otlp::ExportAnswer::Meaning::kLater,
                                  .why = "slowly",
                                  .retry_after = std::chrono::seconds(7)};
  later.is_timeout = true;
  const delivery::Answer told = answer_of(later);
  EXPECT_EQ(told.why, "slowly");
  EXPECT_EQ(told.retry_after, std::chrono::seconds(7));
  EXPECT_TRUE(told.is_timeout);
  const vigia::otlp::ExportAnswer part{.why = "two of them", .rejected = 2};
  EXPECT_EQ(answer_of(part).rejected, 2U);
  EXPECT_EQ(answer_of(part).kind, Kind::kTaken);
}

}  // namespace
}  // namespace vigia::collector::exporters::otlp
