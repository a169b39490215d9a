#include "services/collector/receivers/remote_write_receiver.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::receivers {
namespace {

constexpr std::string_view kForm2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/// Intake without a log: the door alone is tested here, over sockets in service_test.
class RemoteWriteReceiverTest : public ::testing::Test {
 protected:
  RemoteWriteReceiverTest() {
    directory_ = *tenancy::Directory::parse(R"(
customers:
  - {id: cliente-a, tokens: [{token: good, scope: ingest}, {token: reader, scope: read}]}
operators: [{token: operator, scope: read}]
)",
                                            "test");
  }

  static net::RequestHead head(std::string_view path, std::string_view token = "Bearer good",
                               std::string_view type = "application/x-protobuf",
                               std::string_view coding = "snappy") {
    net::RequestHead request;
    request.method = "POST";
    request.path = path;
    if (!token.empty()) request.headers.add("authorization", token);
    if (!type.empty()) request.headers.add("content-type", type);
    if (!coding.empty()) request.headers.add("content-encoding", coding);
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
  intake::Intake intake_{{},
                         {},
                         intake::IntakeParts{nullptr, series_, [this] { return directory_; },
                                             books_, metrics_, clock_}};
  CustomerDoor door_{
      CustomerDoor::Parts{[this] { return directory_; }, clock_, [] { return false; }, metrics_}};
  RemoteWriteReceiver receiver_{RemoteWriteReceiver::Parts{intake_, door_}};
};

// R-RW-6, R-SEC-7.
TEST_F(RemoteWriteReceiverTest, PathAndMethodAreChecked) {
  EXPECT_EQ(status(head("/api/v1/write")), 0);
  EXPECT_EQ(status(head("/api/v1/push")), 0);
  for (const char* path : {"/api/v1/write/", "/api/v1/read", "//api/v1/write", "/v1/metrics", "/"})
    EXPECT_EQ(status(head(path)), 404) << path;
  auto get = head("/api/v1/write");
  get.method = "GET";
  EXPECT_EQ(status(get), 405);
}

// R-RW-6: 415 tells a sender of 2.0 to fall back, and must not be said of what is taken.
TEST_F(RemoteWriteReceiverTest, TheFormIsNegotiatedByContentType) {
  const auto form = [this](std::string_view type, std::string_view coding = "snappy") {
    return status(head("/api/v1/write", "Bearer good", type, coding));
  };
  EXPECT_EQ(form("application/x-protobuf;proto=prometheus.WriteRequest"), 0);
  EXPECT_EQ(form(kForm2), 0);
  EXPECT_EQ(form("Application/X-Protobuf; proto=\"io.prometheus.write.v2.Request\""), 0);
  EXPECT_EQ(form("application/x-protobuf", "Snappy"), 0);
  EXPECT_EQ(form("application/x-protobuf;proto=io.prometheus.write.v3.Request"), 415);
  EXPECT_EQ(form("application/json"), 415);
  EXPECT_EQ(form(""), 415);
  for (const char* coding : {"", "gzip", "zstd", "identity", "snappy, gzip"})
    EXPECT_EQ(form("application/x-protobuf", coding), 415) << coding;
}

TEST_F(RemoteWriteReceiverTest, TokensAreThoseOfOtlp) {
  EXPECT_EQ(status(head("/api/v1/write", "")), 401);
  EXPECT_EQ(status(head("/api/v1/write", "Bearer unknown")), 401);
  EXPECT_EQ(status(head("/api/v1/write", "Bearer reader")), 403);
  EXPECT_EQ(status(head("/api/v1/write", "Bearer operator")), 403);
  auto twice = head("/api/v1/write");
  twice.headers.add("authorization", "Bearer good");
  EXPECT_EQ(status(twice), 400);
  auto good = head("/api/v1/write");
  ASSERT_FALSE(receiver_.admit(good));
  EXPECT_EQ(good.owner, "cliente-a");
  directory_ = nullptr;
  EXPECT_EQ(status(head("/api/v1/write")), 503);
}

// R-RW-3: with the time to wait; and nothing was written.
TEST_F(RemoteWriteReceiverTest, RetryableErrorsSayWhen) {
  const auto request = head("/api/v1/write");
  const auto answer = receiver_.refuse(
      request, Error{ErrorCode::kOverLimit, "over", std::chrono::milliseconds(1200)});
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.get("retry-after"), "2");
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-samples-written"), "0");
  EXPECT_EQ(receiver_.refuse(request, Error{ErrorCode::kUnavailable, "full"}).status, 503);
  const auto final = receiver_.refuse(request, Error{ErrorCode::kTooLarge, "large"});
  EXPECT_EQ(final.status, 413);
  EXPECT_EQ(final.headers.count("retry-after"), 0U);
}

}  // namespace
}  // namespace vigia::collector::receivers
