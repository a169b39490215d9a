#include "services/collector/receivers/otlp_receiver.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/collector/receivers/grpc_health.hpp"
#include "services/collector/receivers/grpc_reflection.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::receivers {
namespace {

/// Intake without a log: the doors alone are tested here, over sockets in service_test.
class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() {
    directory_ = *tenancy::Directory::parse(R"(
customers:
  - {id: cliente-a, tokens: [{token: good, scope: ingest}, {token: reader, scope: read}]}
operators: [{token: operator, scope: read}]
)",
                                            "test");
  }

  net::RequestHead head(std::string path, std::string token = "Bearer good",
                        std::string type = "application/x-protobuf") const {
    net::RequestHead request;
    request.method = "POST";
    request.path = std::move(path);
    if (!token.empty()) request.headers.add("authorization", token);
    if (!type.empty()) request.headers.add("content-type", type);
    return request;
  }
  int status(net::RequestHead request) {
    const auto answer = receiver_.admit(request);
    return answer ? answer->status : 0;
  }

  ManualClock clock_{1'800'000'000'000'000'000};
  service::MetricRegistry metrics_;
  books::Books books_{metrics_};
  series::SeriesCache series_{{}, clock_};
  std::shared_ptr<const tenancy::Directory> directory_;
  bool is_short_ = false;
  intake::Intake intake_{{},
                         {},
                         intake::IntakeParts{nullptr, series_, [this] { return directory_; },
                                             books_, metrics_, clock_}};
  CustomerDoor door_{CustomerDoor::Parts{[this] { return directory_; }, clock_,
                                         [this] { return is_short_; }, metrics_}};
  OtlpReceiver::Parts parts() { return {intake_, door_}; }
  OtlpReceiver receiver_{parts()};
};

// C25: the scheme in any case, the token in its own.
TEST_F(ReceiverTest, TheTokenIsLookedAtBeforeTheBody) {
  EXPECT_EQ(status(head("/v1/metrics")), 0);
  EXPECT_EQ(status(head("/v1/metrics", "")), 401);
  EXPECT_EQ(status(head("/v1/metrics", "Bearer GOOD")), 401);
  EXPECT_EQ(status(head("/v1/metrics", "bearer good")), 0);
  EXPECT_EQ(status(head("/v1/metrics", "BEARER good")), 0);
  EXPECT_EQ(status(head("/v1/metrics", "Bearer reader")), 403);
  EXPECT_EQ(status(head("/v1/metrics", "Bearer operator")), 403);
  auto twice = head("/v1/metrics");
  twice.headers.add("authorization", "Bearer good");
  EXPECT_EQ(status(twice), 400);
}

// R-SEC-14.
TEST_F(ReceiverTest, TheTokensHashStaysWithTheHead) {
  auto good = head("/v1/metrics");
  ASSERT_FALSE(receiver_.admit(good).has_value());
  EXPECT_EQ(good.credential, *tenancy::hash_token("good"));
  auto none = head("/v1/metrics", "");
  ASSERT_TRUE(receiver_.admit(none).has_value());
  EXPECT_FALSE(none.credential.has_value());
}

// R-OTLP-12.
TEST_F(ReceiverTest, AnUnloadedDirectoryIsAPassingFault) {
  directory_ = nullptr;
  EXPECT_EQ(status(head("/v1/metrics", "Bearer anything")), 503);
}

// R-OTLP-9, C25, R-SEC-7.
TEST_F(ReceiverTest, PathMethodAndTypeAreChecked) {
  EXPECT_EQ(status(head("/v2/metrics")), 404);
  EXPECT_EQ(status(head("/v1/metrics/")), 404);
  EXPECT_EQ(status(head("/v1/logs", "Bearer good", "")), 415);
  EXPECT_EQ(status(head("/v1/logs", "Bearer good", "text/plain")), 415);
  EXPECT_EQ(status(head("/v1/logs", "Bearer good", "Application/JSON; charset=utf-8")), 0);
  auto patch = head("/v1/logs");
  patch.method = "PATCH";
  EXPECT_EQ(status(patch), 405);
}

// R-OTLP-2: paths are configurable, those of gRPC are not.
TEST_F(ReceiverTest, PathsMayBeOthersOverHttp) {
  OtlpReceiver::Parts other = parts();
  other.paths.traces = "/otlp/spans";
  OtlpReceiver receiver(other);
  const auto status_at = [&](const std::string& path, net::Transport transport) {
    net::RequestHead request = head(path);
    request.transport = transport;
    const auto answer = receiver.admit(request);
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status_at("/otlp/spans", net::Transport::kHttp1), 0);
  EXPECT_EQ(status_at("/v1/logs", net::Transport::kHttp2), 0);
  EXPECT_EQ(status_at("/v1/traces", net::Transport::kHttp1), 404);
  EXPECT_EQ(status_at("/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                      net::Transport::kGrpc),
            0);
  net::RequestHead unknown = head("/v1/traces", "Bearer good", "");
  EXPECT_NE(receiver.admit(unknown)->body.find("/v1/metrics, /otlp/spans, /v1/logs"),
            std::string::npos);
}

TEST_F(ReceiverTest, WhoSendsNoTypeGetsTextThatCanBeRead) {
  auto request = head("/v1/logs", "Bearer good", "");
  const auto answer = receiver_.admit(request);
  EXPECT_EQ(answer->headers.get("content-type"), "application/json");
  EXPECT_NE(answer->body.find("content-type must be application/x-protobuf"), std::string::npos);
}

// D10, R-SEC-7.
TEST_F(ReceiverTest, AnUnknownGrpcMethodIsUnimplemented) {
  auto request = head("/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export");
  request.transport = net::Transport::kGrpc;
  EXPECT_EQ(receiver_.admit(request)->grpc_code, net::GrpcCode::kUnimplemented);
  request.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  EXPECT_FALSE(receiver_.admit(request).has_value());
  request.headers = {{"authorization", "Bearer nobody"}};
  EXPECT_EQ(receiver_.admit(request)->grpc_code, net::GrpcCode::kUnauthenticated);
}

// D10.
TEST_F(ReceiverTest, ABalancerMayAskForHealthWithoutAToken) {
  auto request = head("/grpc.health.v1.Health/Check", "");
  request.transport = net::Transport::kGrpc;
  EXPECT_FALSE(receiver_.admit(request).has_value());
  EXPECT_EQ(receiver_.body_bytes_max(request), kHealthBytesMax);
  request.path = "/grpc.health.v1.Health/Watch";
  EXPECT_EQ(receiver_.admit(request)->grpc_code, net::GrpcCode::kUnimplemented);
}

// D10.
TEST_F(ReceiverTest, AnybodyMayAskWhatIsServed) {
  auto request = head("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "");
  EXPECT_EQ(receiver_.open_talk(request), nullptr);  // not gRPC
  EXPECT_EQ(receiver_.admit(request)->status, 404);
  request.transport = net::Transport::kGrpc;
  for (const char* version : {"v1", "v1alpha"}) {
    request.path =
        fmt::format("/grpc.reflection.{}.ServerReflection/ServerReflectionInfo", version);
    EXPECT_FALSE(receiver_.admit(request).has_value());
    EXPECT_NE(receiver_.open_talk(request), nullptr);
    EXPECT_EQ(receiver_.body_bytes_max(request), kReflectionBytesMax);
  }
  request.path = "/grpc.reflection.v2.ServerReflection/ServerReflectionInfo";
  const auto unknown = receiver_.admit(request);
  EXPECT_EQ(unknown->grpc_code, net::GrpcCode::kUnimplemented);
  EXPECT_NE(unknown->grpc_message.find("reflection, which lists them"), std::string::npos);
  request.path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
  EXPECT_EQ(receiver_.open_talk(request), nullptr);
}

TEST(GrpcHealth, AnswersForTheServerAndItsServices) {
  const std::string all = health_answer("", true).body;
  EXPECT_EQ(all, std::string("\x08\x01"));
  EXPECT_EQ(health_answer("", false).body, std::string("\x08\x02"));
  const std::string logs = "opentelemetry.proto.collector.logs.v1.LogsService";
  std::string asked = "\x0a";
  asked += static_cast<char>(logs.size());
  EXPECT_EQ(health_answer(asked + logs, true).body, all);
  EXPECT_EQ(health_answer("\x0a\x03"
                          "any",
                          true)
                .grpc_code,
            net::GrpcCode::kNotFound);
  EXPECT_EQ(health_answer("\x0a\x7f", true).grpc_code, net::GrpcCode::kInvalidArgument);
}

TEST_F(ReceiverTest, ShortMemoryRefusesNobodyByItself) {
  is_short_ = true;  // the doors refuse who holds more than a little (net::Budget)
  auto request = head("/v1/metrics");
  EXPECT_FALSE(receiver_.admit(request).has_value());
}

// One that drives the collector to its limit must not make the silence of others' nodes ours.
TEST_F(ReceiverTest, OnlyACustomerOfWhichNothingIsLetInIsShutOut) {
  const auto is_shut_out = [this] {
    return metrics_.expose(false).find("vigia_memory_shut_out{customer_id=\"cliente-a\"} 1") !=
           std::string::npos;
  };
  const auto refuse_for = [this](int seconds) {
    is_short_ = true;
    for (int i = 0; i <= seconds; i += 5) {
      auto large = head("/v1/metrics");
      EXPECT_FALSE(receiver_.admit(large).has_value());
      EXPECT_EQ(receiver_.refuse(large, {ErrorCode::kUnavailable, "memory is short"}).status, 503);
      clock_.advance(std::chrono::seconds(5));
    }
    is_short_ = false;
  };
  refuse_for(10);
  EXPECT_FALSE(is_shut_out());
  refuse_for(10);
  EXPECT_TRUE(is_shut_out());
  EXPECT_EQ(status(head("/v1/metrics")), 0);
  EXPECT_FALSE(is_shut_out());
  refuse_for(15);
  EXPECT_TRUE(is_shut_out());
  clock_.advance(std::chrono::seconds(61));  // it no longer tries
  EXPECT_FALSE(is_shut_out());
  EXPECT_EQ(status(head("/v1/metrics", "Bearer nobody")), 401);
  EXPECT_FALSE(is_shut_out());
}

}  // namespace
}  // namespace vigia::collector::receivers
