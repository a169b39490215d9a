// The client against a real server on loopback that answers as told.
#include "libs/otlp/client.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"

namespace vigia::otlp {
namespace {

using Meaning = ExportAnswer::Meaning;

/// Keeps what comes; takes all but the first so many, which it says it cannot read.
class Collector final : public net::Handler {
 public:
  explicit Collector(int unread) : unread_(unread) {}

  void handle(net::Request request, net::Responder responder) override {
    const std::lock_guard lock(mutex_);
    net::Response response = accepted(Signal::kTraces, BodyForm::kProtobuf);
    if (unread_-- > 0) {
      response.status = 415;
      response.grpc_code = net::GrpcCode::kUnimplemented;
      response.body.clear();
    }
    seen_.push_back(std::move(request));
    responder.send(std::move(response));
  }
  std::vector<net::Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::string encoding(std::size_t index) const {
    const net::Headers headers = seen().at(index).headers;
    const auto grpc = headers.get("grpc-encoding");
    return std::string(grpc.empty() ? headers.get("content-encoding") : grpc);
  }

 private:
  mutable std::mutex mutex_;
  int unread_;
  std::vector<net::Request> seen_;  // guarded by mutex_
};

class ExportClientTest : public testing::TestWithParam<Protocol> {
 protected:
  void start(const std::string& compression, int unread = 0) {
    collector_ = std::make_unique<Collector>(unread);
    net::ServerSettings server;
    server.name = "collector";
    server.listen = "127.0.0.1:0";
    server.loops = 1;
    auto started = net::Server::start(server, *collector_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
    client_ = net::Client::create({});
    exporter_.emplace(ExportSettings{.endpoint = "http://" + server_->address() + "//",
                                     .protocol = GetParam(),
                                     .compression = compression,
                                     .headers = {{"authorization", "Bearer t"}},
                                     .tls = std::nullopt},
                      *client_);
  }
  ExportAnswer send() {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<ExportAnswer> got;
    exporter_->send(Signal::kTraces, "\x7a\x01x", {{"x-vigia-customer", "a"}},
                    [&](ExportAnswer answer, std::string_view date) {
                      const std::lock_guard lock(mutex);
                      date_ = date;
                      got = std::move(answer);
                      changed.notify_all();
                    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return got.has_value(); });
    return *got;
  }

  std::string date_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_;
  std::optional<ExportClient> exporter_;
};

TEST_P(ExportClientTest, ARequestHasPathHeadersAndBody) {
  start("gzip");
  EXPECT_EQ(send().meaning, Meaning::kTaken);
  ASSERT_EQ(collector_->seen().size(), 1U);
  const net::Request request = collector_->seen().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(signal_of_path(request), Signal::kTraces);
  EXPECT_EQ(form_of(request), BodyForm::kProtobuf);
  EXPECT_EQ(request.headers.get("authorization"), "Bearer t");
  EXPECT_EQ(request.headers.get("x-vigia-customer"), "a");
  EXPECT_EQ(request.body, "\x7a\x01x");
  EXPECT_EQ(collector_->encoding(0), "gzip");
  EXPECT_NE(date_, "");
}

TEST_P(ExportClientTest, AnUnknownEncodingIsGivenUpForTheRun) {
  start("zstd", 2);
  ExportAnswer answer = send();
  EXPECT_EQ(answer.meaning, Meaning::kLater);
  EXPECT_TRUE(answer.can_try_again);
  EXPECT_TRUE(send().can_try_again);
  EXPECT_EQ(send().meaning, Meaning::kTaken);
  EXPECT_EQ(send().meaning, Meaning::kTaken);
  ASSERT_EQ(collector_->seen().size(), 4U);
  EXPECT_EQ(collector_->encoding(0), "zstd");
  EXPECT_EQ(collector_->encoding(1), "gzip");
  EXPECT_EQ(collector_->encoding(2), "");
  EXPECT_EQ(collector_->encoding(3), "");
}

TEST_P(ExportClientTest, WithoutAnEncodingThereIsNothingToGiveUp) {
  start("", 1);
  const ExportAnswer answer = send();
  EXPECT_EQ(answer.meaning, Meaning::kLater);
  EXPECT_FALSE(answer.can_try_again);
}

TEST_P(ExportClientTest, NobodyThereIsLater) {
  start("gzip");
  server_->stop(TimePoint{});
  server_.reset();
  const ExportAnswer answer = send();
  EXPECT_EQ(answer.meaning, Meaning::kLater);
  EXPECT_FALSE(answer.is_encoding_unknown);
  EXPECT_EQ(date_, "");
}

INSTANTIATE_TEST_SUITE_P(BothProtocols, ExportClientTest,
                         testing::Values(Protocol::kGrpc, Protocol::kHttp));

}  // namespace
}  // namespace vigia::otlp
