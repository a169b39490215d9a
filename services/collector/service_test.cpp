#include "services/collector/service.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/net/client.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/server.hpp"
#include "libs/net/testing/grpc_call.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector {
namespace {

using testing::one_gauge;

constexpr std::string_view kMetricsMethod =
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// A whole collector on free ports, whose exporters find nobody at home.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    write_customers("customers: [{id: cliente-a, tokens: [{token: good, scope: ingest}]}]");
  }

  void write_customers(std::string_view text) {
    const std::string path = folder_.file("customers.yaml");
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  }

  std::string config(std::string_view grpc = "127.0.0.1:0") const {
    return fmt::format(R"(
extensions:
  vigia_auth: {{directory: {{file: {0}/customers.yaml, refresh_interval: 20ms}}}}
  file_storage: {{directory: {0}/log}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "{1}", auth: {{authenticator: vigia_auth}}}}
      http: {{endpoint: 127.0.0.1:0, auth: {{authenticator: vigia_auth}}}}
exporters:
  otlphttp/cold: {{endpoint: "http://127.0.0.1:1", required: true}}
service:
  extensions: [vigia_auth, file_storage]
  telemetry: {{metrics: {{address: 127.0.0.1:0}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [otlphttp/cold]}}
    traces: {{receivers: [otlp], exporters: [otlphttp/cold]}}
    logs: {{receivers: [otlp], exporters: [otlphttp/cold]}}
)",
                       folder_.path(), grpc);
  }

  Result<std::unique_ptr<CollectorService>> try_start(const std::string& text) {
    auto file = service::ConfigFile::parse(text, "collector.yaml");
    if (!file) return forward(file);
    auto settings = read_settings(*file);
    if (!settings) return forward(settings);
    return CollectorService::start(*std::move(settings));
  }
  void start() {
    auto started = try_start(config());
    ASSERT_TRUE(started.has_value()) << started.error().message;
    collector_ = *std::move(started);
  }

  net::ClientResponse post(const std::string& path, std::string body,
                           const std::string& token = "good",
                           const std::string& type = "application/x-protobuf",
                           const std::string& encoding = "") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://" + collector_->addresses().at(1) + path;
    request.headers = {{"authorization", "Bearer " + token}, {"content-type", type}};
    if (!encoding.empty()) request.headers.add("content-encoding", encoding);
    request.body = std::move(body);
    auto response = client_->fetch(std::move(request));
    EXPECT_TRUE(response.has_value()) << response.error().message;
    return response.value_or(net::ClientResponse{});
  }
  net::GrpcReply call(std::string body, std::string_view compression = "",
                      const std::string& token = "good") {
    net::ClientRequest request;
    request.url = "http://" + collector_->addresses().at(0) + std::string(kMetricsMethod);
    request.headers = {{"authorization", "Bearer " + token}};
    request.body = std::move(body);
    auto reply = call_and_wait(*client_, std::move(request), compression);
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply.value_or(net::GrpcReply{});
  }

  /// -1 where it is not shown.
  double own_metric(const std::string& name) {
    net::ClientRequest request;
    request.url = "http://" + collector_->metrics_address() + "/metrics";
    const std::string text = client_->fetch(std::move(request)).value().body;
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  static std::int64_t now() { return SystemClock().wall_ms(); }

  const TemporaryFolder folder_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  std::unique_ptr<CollectorService> collector_;
};

// R-OTLP-1, R-OTLP-5.
TEST_F(ServiceTest, GrpcIsTakenPlainAndCompressed) {
  start();
  for (const char* compression : {"", "gzip", "zstd"}) {
    const auto reply = call(one_gauge("cliente-a", "m", now()), compression);
    EXPECT_EQ(reply.code, net::GrpcCode::kOk) << compression << " " << reply.message;
    EXPECT_EQ(reply.body, "");
  }
}

// R-OTLP-6, R-OTLP-7.
TEST_F(ServiceTest, GrpcRefusalsCarryTheirCodes) {
  start();
  EXPECT_EQ(call(one_gauge("cliente-a", "m", now()), "", "bad").code,
            net::GrpcCode::kUnauthenticated);
  EXPECT_EQ(call(one_gauge("cliente-b", "m", now())).code, net::GrpcCode::kPermissionDenied);
  EXPECT_EQ(call(one_gauge("", "m", now())).code, net::GrpcCode::kInvalidArgument);
  EXPECT_EQ(call("garbage").code, net::GrpcCode::kInvalidArgument);
  const auto partial = call(one_gauge("cliente-a", "up", now()));
  EXPECT_EQ(partial.code, net::GrpcCode::kOk);
  EXPECT_EQ(testing::read_metrics_response(partial.body).rejected, 1);
}

// R-OTLP-1, R-OTLP-2, R-OTLP-9.
TEST_F(ServiceTest, HttpTakesAllSignalsInBothForms) {
  start();
  EXPECT_EQ(post("/v1/metrics", one_gauge("cliente-a", "m", now())).status, 200);
  EXPECT_EQ(post("/v1/traces", testing::one_span("cliente-a")).status, 200);
  EXPECT_EQ(post("/v1/logs", testing::one_record("cliente-a")).status, 200);
  const std::string json = fmt::format(
      R"({{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"customer.id","value":)"
      R"({{"stringValue":"cliente-a"}}}}]}},"scopeMetrics":[{{"metrics":[{{"name":"m","gauge":)"
      R"({{"dataPoints":[{{"timeUnixNano":"{}","asDouble":1}}]}}}}]}}]}}]}})",
      now() * 1'000'000);
  const auto answer = post("/v1/metrics", json, "good", "application/json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{}");
  EXPECT_EQ(answer.headers.get("content-type"), "application/json");
  for (const char* encoding : {"gzip", "zstd"}) {
    const auto body = net::compress(encoding, one_gauge("cliente-a", "m", now()));
    EXPECT_EQ(post("/v1/metrics", *body, "good", "application/x-protobuf", encoding).status, 200);
  }
}

// R-OTLP-7, R-OTLP-11.
TEST_F(ServiceTest, HttpErrorsComeInTheRequestsOwnForm) {
  start();
  const auto garbage = post("/v1/metrics", "\xff\xff");
  EXPECT_EQ(garbage.status, 400);
  EXPECT_EQ(garbage.headers.get("content-type"), "application/x-protobuf");
  const auto json = post("/v1/metrics", "{broken", "good", "application/json");
  EXPECT_EQ(json.status, 400);
  EXPECT_NE(json.body.find("\"code\":3"), std::string::npos);
  EXPECT_EQ(post("/v1/metrics", one_gauge("cliente-b", "m", now())).status, 403);
  EXPECT_EQ(post("/v1/metrics", "", "bad").status, 401);
  EXPECT_EQ(post("/v2/metrics", "").status, 404);
  EXPECT_EQ(post("/v1/metrics", "", "good", "text/plain").status, 415);
}

TEST_F(ServiceTest, ARevokedTokenIsRefusedSoon) {
  start();
  EXPECT_EQ(post("/v1/metrics", "").status, 200);
  write_customers("customers: [{id: cliente-a}]");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int status = 200;
  while (status == 200 && std::chrono::steady_clock::now() < deadline) {
    status = post("/v1/metrics", "").status;
  }
  EXPECT_EQ(status, 401);
}

// D21.
TEST_F(ServiceTest, ASecondCopyOnTheSameFolderIsRefused) {
  start();
  const auto second = try_start(config());
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find(folder_.file("log")), std::string::npos);
}

TEST_F(ServiceTest, ATakenPortIsNamed) {
  start();
  const std::string taken = collector_->addresses().at(0);
  std::string text = config(taken);
  text.replace(text.find("/log}"), 5, "/log2}");
  const auto second = try_start(text);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find(taken), std::string::npos);
}

// What the provider's rules CollectorLogFilling and vigia:own_part_away ask for.
TEST_F(ServiceTest, HowFullTheLogIsAndWhetherMemoryIsShortIsShown) {
  auto text = config();
  const std::string folder = "{directory: " + folder_.file("log");
  text.insert(text.find(folder) + folder.size(), ", bytes_max: 64MiB");
  auto started = try_start(text);
  ASSERT_TRUE(started.has_value()) << started.error().message;
  collector_ = *std::move(started);
  EXPECT_EQ(own_metric("vigia_log_bytes_max"), 64U << 20U);
  const double before = own_metric("vigia_log_bytes");
  EXPECT_EQ(post("/v1/metrics", one_gauge("cliente-a", "m", now())).status, 200);
  EXPECT_GT(own_metric("vigia_log_bytes"), before);
  EXPECT_EQ(own_metric("vigia_memory_is_short"), 0);
}

/// Takes every OTLP request, and counts the resources.
class CountingStore final : public net::Handler {
 public:
  void handle(net::Request request, net::Responder responder) override {
    EXPECT_EQ(request.headers.get("x-vigia-customer"), "cliente-a");
    resources += testing::count_resources(request.body);
    net::Response response;
    response.headers.add("content-type", "application/x-protobuf");
    responder.send(std::move(response));
  }
  std::atomic<int> resources{0};
};

TEST_F(ServiceTest, WhatWasAcknowledgedIsDeliveredAfterARestart) {
  start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(post("/v1/metrics", one_gauge("cliente-a", "m", now())).status, 200);
  }
  collector_.reset();
  CountingStore store;
  net::ServerSettings settings;
  settings.name = "store";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  const auto server = net::Server::start(settings, store);
  ASSERT_TRUE(server.has_value());
  std::string text = config();
  text.replace(text.find("127.0.0.1:1\""), 12, (*server)->address() + "\"");
  auto started = try_start(text);
  ASSERT_TRUE(started.has_value()) << started.error().message;
  collector_ = *std::move(started);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (store.resources < 5 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(store.resources, 5);
  collector_.reset();
}

}  // namespace
}  // namespace vigia::collector
