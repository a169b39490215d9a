// The relay as applications meet it: over HTTP and gRPC, on loopback.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>
#include <unistd.h>

#include "libs/net/client.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/server.hpp"
#include "libs/net/testing/grpc_call.hpp"
#include "services/agent/host/node.hpp"
#include "services/agent/relay/relay.hpp"

namespace vigia::agent::relay {
namespace {

namespace otlp = opentelemetry::proto;
using otlp::collector::metrics::v1::ExportMetricsServiceRequest;
using otlp::collector::trace::v1::ExportTraceServiceRequest;
using std::chrono::seconds;

constexpr const char* kMetricsCall =
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

class RelayServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    auto opened = buffer::Buffer::open({.directory = folder_.string()}, node_.customer, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    buffer_ = *std::move(opened);
    relay_ = std::make_unique<Relay>(host::node_attributes(node_),
                                     Relay::Parts{*buffer_, counters_, durations_, clock_});
    net::ServerSettings server;
    server.name = "relay";
    server.listen = "127.0.0.1:0";
    server.loops = 1;
    server.body_bytes_max = 64U << 10U;
    auto started = net::Server::start(server, *relay_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }
  void TearDown() override {
    server_->stop(clock_.steady() + seconds(5));
    relay_.reset();
    buffer_.reset();
    std::filesystem::remove_all(folder_);
  }

  static std::string one_counter(bool is_delta, std::uint64_t second = 0) {
    ExportMetricsServiceRequest request;
    auto* metric = request.add_resource_metrics()->add_scope_metrics()->add_metrics();
    metric->set_name("orders");
    metric->mutable_sum()->set_aggregation_temporality(
        is_delta ? otlp::metrics::v1::AGGREGATION_TEMPORALITY_DELTA
                 : otlp::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
    auto* point = metric->mutable_sum()->add_data_points();
    point->set_time_unix_nano((1'795'574'400 + second) * 1'000'000'000);
    point->set_as_int(2);
    return request.SerializeAsString();
  }
  net::ClientResponse post(const std::string& path, const std::string& content_type,
                           std::string body, const std::string& encoding = "") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://" + server_->address() + path;
    request.headers.add("content-type", content_type);
    if (!encoding.empty()) request.headers.add("content-encoding", encoding);
    request.body = std::move(body);
    auto response = client_->fetch(std::move(request));
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : net::ClientResponse{};
  }
  net::GrpcReply call(const std::string& method, const std::string& body) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://" + server_->address() + method;
    request.body = body;
    auto reply = call_and_wait(*client_, std::move(request), "gzip");
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *reply : net::GrpcReply{};
  }
  /// The next record of a signal; it has been on disk since before the answer was sent.
  disk_log::DiskRecord kept(Signal signal) {
    auto record = buffer_->cursor(signal).next(seconds(5));
    EXPECT_TRUE(record && *record);
    return **std::move(record);
  }
  /// True where the first record there is comes from here, and none from a request.
  bool is_nothing_kept() {
    EXPECT_TRUE(buffer_->append_and_wait(Signal::kMetrics, "the end", 1));
    return kept(Signal::kMetrics).body == "the end";
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("vigia-relay-" + std::to_string(::getpid()));
  SystemClock clock_;
  const host::NodeSettings node_{.customer = *CustomerId::parse("cliente-a"),
                                 .customer_name = "",
                                 .node = *NodeId::parse("web-01"),
                                 .region = "",
                                 .environment = ""};
  health::AgentCounters counters_;
  telemetry::RequestDurations durations_;
  std::unique_ptr<buffer::Buffer> buffer_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
};

TEST_F(RelayServerTest, GrpcIsStampedAndOnDiskBeforeTheAnswer) {
  EXPECT_EQ(call(kMetricsCall, one_counter(false)).code, net::GrpcCode::kOk);
  const auto record = kept(Signal::kMetrics);
  EXPECT_EQ(record.header.items, 1U);
  ExportMetricsServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(record.body));
  const auto& resource = request.resource_metrics(0).resource();
  EXPECT_EQ(resource.attributes(0).key(), "customer.id");
  EXPECT_EQ(resource.attributes(0).value().string_value(), "cliente-a");
  EXPECT_EQ(counters_.relayed_items[0], 1U);
}

TEST_F(RelayServerTest, DeltasBecomeCumulative) {
  for (std::uint64_t report = 0; report < 3; ++report) {
    EXPECT_EQ(call(kMetricsCall, one_counter(true, report)).code, net::GrpcCode::kOk);
  }
  std::vector<std::int64_t> values;
  for (int report = 0; report < 3; ++report) {
    ExportMetricsServiceRequest request;
    ASSERT_TRUE(request.ParseFromString(kept(Signal::kMetrics).body));
    const auto& sum = request.resource_metrics(0).scope_metrics(0).metrics(0).sum();
    values.push_back(sum.data_points(0).as_int());
    EXPECT_EQ(sum.aggregation_temporality(), otlp::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  }
  EXPECT_THAT(values, testing::ElementsAre(2, 4, 6));
}

// R-PM-5, C07: a new series is refused where there is no room.
TEST_F(RelayServerTest, DeltasWithoutRoomAreRefusedInTheAnswer) {
  ExportMetricsServiceRequest request;
  auto* scope = request.add_resource_metrics()->add_scope_metrics();
  std::uint64_t time_ns = 0;
  const auto add = [&](const std::string& name) {
    auto* sum = scope->add_metrics();
    sum->set_name(name);
    sum->mutable_sum()->set_aggregation_temporality(
        otlp::metrics::v1::AGGREGATION_TEMPORALITY_DELTA);
    auto* point = sum->mutable_sum()->add_data_points();
    point->set_time_unix_nano(++time_ns);
    point->set_as_int(1);
  };
  // Small requests, since the test's server takes no large ones.
  std::size_t sent = 0;
  while (sent < deltas::AccumulatorSettings{}.streams_max) {
    scope->clear_metrics();
    for (int metric = 0; metric < 1000; ++metric) add("m" + std::to_string(sent++));
    EXPECT_EQ(call(kMetricsCall, request.SerializeAsString()).body, "");
  }
  scope->clear_metrics();
  add("m0");
  add("one more");
  const std::string body = request.SerializeAsString();
  otlp::collector::metrics::v1::ExportMetricsServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(call(kMetricsCall, body).body));
  EXPECT_EQ(response.partial_success().rejected_data_points(), 1);
  EXPECT_THAT(response.partial_success().error_message(), testing::HasSubstr("20000 delta series"));
  EXPECT_EQ(counters_.relay_items_left_out, 1U);
  const auto json = post("/v1/metrics", "application/json", R"({"resourceMetrics":[{"scopeMetrics":[
    {"metrics":[{"name":"json","sum":{"aggregationTemporality":1,"dataPoints":[{"asInt":"1",
    "timeUnixNano":"1"}]}}]}]}]})");
  EXPECT_THAT(json.body, testing::HasSubstr(R"({"partialSuccess":{"rejectedDataPoints":"1")"));
}

TEST_F(RelayServerTest, HttpTakesProtobufPlainAndCompressed) {
  const auto plain = post("/v1/metrics", "application/x-protobuf", one_counter(false));
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.headers.get("content-type"), "application/x-protobuf");
  const auto packed = post("/v1/metrics", "Application/X-Protobuf; charset=utf-8",
                           *net::compress("gzip", one_counter(false)), "gzip");
  EXPECT_EQ(packed.status, 200);
  kept(Signal::kMetrics);
  kept(Signal::kMetrics);
}

TEST_F(RelayServerTest, HttpTakesJsonAndAnswersInIt) {
  const auto answer = post("/v1/traces", "application/json", R"({"resourceSpans":[{"resource":
    {"attributes":[{"key":"service.name","value":{"stringValue":"tienda"}}]},"scopeSpans":[{"spans":[
    {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"x",
     "startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("content-type"), "application/json");
  EXPECT_EQ(answer.body, "{}");
  ExportTraceServiceRequest request;
  ASSERT_TRUE(request.ParseFromString(kept(Signal::kTraces).body));
  EXPECT_EQ(request.resource_spans(0).resource().attributes_size(), 3);
  EXPECT_EQ(request.resource_spans(0).scope_spans(0).spans(0).span_id().size(), 8U);
  EXPECT_EQ(post("/v1/traces", "application/json", "{").status, 400);
}

TEST_F(RelayServerTest, WhatCannotBeReadIsRefusedAndNotKept) {
  EXPECT_EQ(post("/v1/metrics", "application/x-protobuf", "garbage").status, 400);
  EXPECT_EQ(call(kMetricsCall, "garbage").code, net::GrpcCode::kInvalidArgument);
  EXPECT_EQ(post("/v1/metrics", "text/plain", one_counter(false)).status, 415);
  EXPECT_EQ(post("/v1/other", "application/x-protobuf", one_counter(false)).status, 404);
  EXPECT_EQ(call("/some.Service/Method", "").code, net::GrpcCode::kUnimplemented);
  EXPECT_EQ(post("/v1/metrics", "application/x-protobuf", std::string(65U << 10U, 'x')).status,
            413);
  EXPECT_TRUE(is_nothing_kept());
  EXPECT_EQ(counters_.relay_refusals[0], 2U);
}

TEST_F(RelayServerTest, EmptyRequestSucceedsAndIsNotKept) {
  EXPECT_EQ(call(kMetricsCall, "").code, net::GrpcCode::kOk);
  EXPECT_EQ(post("/v1/logs", "application/x-protobuf", "").status, 200);
  EXPECT_TRUE(is_nothing_kept());
}

}  // namespace
}  // namespace vigia::agent::relay
