#include "libs/otlp/door.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>

#include "libs/otlp/paths.hpp"

namespace vigia::otlp {
namespace {

constexpr Signal kAll[] = {Signal::kMetrics, Signal::kTraces, Signal::kLogs};

net::RequestHead head(net::Transport transport, std::string_view path, std::string_view type = "") {
  net::RequestHead made;
  made.transport = transport;
  made.path = path;
  if (!type.empty()) made.headers.add("content-type", type);
  return made;
}

TEST(OtlpPaths, LeadToTheirSignalAndBack) {
  for (const Signal signal : kAll) {
    EXPECT_EQ(signal_of_path(head(net::Transport::kGrpc, grpc_path(signal))), signal);
    EXPECT_EQ(signal_of_path(head(net::Transport::kHttp1, http_path(signal))), signal);
    EXPECT_EQ(signal_of_path(head(net::Transport::kHttp2, http_path(signal))), signal);
    // A path of the other transport is none.
    EXPECT_EQ(signal_of_path(head(net::Transport::kHttp1, grpc_path(signal))), std::nullopt);
    EXPECT_EQ(signal_of_path(head(net::Transport::kGrpc, http_path(signal))), std::nullopt);
  }
  EXPECT_EQ(http_path(Signal::kLogs), "/v1/logs");
  EXPECT_EQ(grpc_path(Signal::kTraces),
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  for (const char* path : {"", "/", "/v1/metrics/", "/V1/metrics", "/v1/profiles"})
    EXPECT_EQ(signal_of_path(head(net::Transport::kHttp1, path)), std::nullopt) << path;
}

TEST(OtlpForm, GoesByTheMediaType) {
  const auto form = [](std::string_view type) {
    return form_of(head(net::Transport::kHttp1, "/v1/logs", type));
  };
  EXPECT_EQ(form("application/x-protobuf"), BodyForm::kProtobuf);
  EXPECT_EQ(form("Application/JSON ; charset=utf-8"), BodyForm::kJson);
  EXPECT_EQ(form("application/protobuf"), std::nullopt);
  EXPECT_EQ(form(""), std::nullopt);
  EXPECT_EQ(form_of(head(net::Transport::kGrpc, "", "application/grpc")), BodyForm::kProtobuf);
}

// R-OTLP-5, R-OTLP-9.
TEST(OtlpAccepted, AllOfItIsAnEmptyMessage) {
  const auto protobuf = accepted(Signal::kLogs, BodyForm::kProtobuf);
  EXPECT_EQ(protobuf.status, 200);
  EXPECT_EQ(protobuf.body, "");
  EXPECT_EQ(protobuf.headers.get("content-type"), kProtobufType);
  const auto json = accepted(Signal::kLogs, BodyForm::kJson);
  EXPECT_EQ(json.body, "{}");
  EXPECT_EQ(json.headers.get("content-type"), kJsonType);
}

// R-OTLP-6, C26.
TEST(OtlpAccepted, APartIsReadByTheReference) {
  const auto response = accepted(Signal::kLogs, BodyForm::kProtobuf, {3, "too \"old\""});
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse read;
  ASSERT_TRUE(read.ParseFromString(response.body));
  EXPECT_EQ(read.partial_success().rejected_log_records(), 3);
  EXPECT_EQ(read.partial_success().error_message(), "too \"old\"");
}

// R-OTLP-6: nothing refused, and a text: a warning.
TEST(OtlpAccepted, AWarningRefusesNothing) {
  const auto response = accepted(Signal::kLogs, BodyForm::kProtobuf, {0, "without a time"});
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse read;
  ASSERT_TRUE(read.ParseFromString(response.body));
  ASSERT_TRUE(read.has_partial_success());
  EXPECT_EQ(read.partial_success().rejected_log_records(), 0);
  EXPECT_EQ(read.partial_success().error_message(), "without a time");
  EXPECT_EQ(accepted(Signal::kTraces, BodyForm::kJson, {0, "x"}).body,
            R"({"partialSuccess":{"rejectedSpans":"0","errorMessage":"x"}})");
}

// R-OTLP-4.
TEST(OtlpAccepted, ALongReasonIsCut) {
  const std::string why(1U << 20U, 'x');
  for (const BodyForm form : {BodyForm::kProtobuf, BodyForm::kJson}) {
    const std::string body = accepted(Signal::kLogs, form, {3, why}).body;
    EXPECT_GT(body.size(), 512U);
    EXPECT_LT(body.size(), 600U);
  }
}

TEST(OtlpAccepted, APartInJsonNamesTheSignalsItems) {
  const auto body = [](Signal signal) {
    return accepted(signal, BodyForm::kJson, {3, "too \"old\""}).body;
  };
  EXPECT_EQ(body(Signal::kMetrics),
            R"({"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too \"old\""}})");
  EXPECT_NE(body(Signal::kTraces).find("rejectedSpans"), std::string::npos);
  EXPECT_NE(body(Signal::kLogs).find("rejectedLogRecords"), std::string::npos);
}

}  // namespace
}  // namespace vigia::otlp
