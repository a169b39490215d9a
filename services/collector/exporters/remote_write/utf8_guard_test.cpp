#include "services/collector/exporters/remote_write/utf8_guard.hpp"

#include <future>

#include <gtest/gtest.h>

#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

using Kind = delivery::Answer::Kind;

class Utf8GuardTest : public ::testing::Test {
 protected:
  void says(int status, const std::string& body) {
    destination_.answer_by([status, body](const net::Request& request) {
      net::Response response;
      const bool asks = request.path == "/base/api/v1/status/buildinfo";
      response.status = asks ? status : 204;
      if (asks) response.body = body;
      return response;
    });
  }
  delivery::Answer send() {
    if (!guard_) {
      HttpSettings settings;
      settings.endpoint = destination_.url() + path_;
      guard_ = guard_utf8(transport_to(settings), settings, *client_, clock_);
    }
    std::promise<delivery::Answer> answer;
    guard_->send(*CustomerId::parse("cliente-a"), Signal::kMetrics, "",
                 [&answer](delivery::Answer given) { answer.set_value(std::move(given)); });
    return answer.get_future().get();
  }
  std::unique_ptr<delivery::MessageTransport> transport_to(const HttpSettings& settings) {
    return make_transport(
        settings, *client_,
        std::make_shared<Negotiation>(Negotiation::Settings{"e"}, clock_, metrics_), clock_,
        nullptr);
  }
  std::string asked() const {
    std::string methods;
    for (const net::Request& request : destination_.requests())
      methods += request.method == "GET" ? 'g' : 'p';
    return methods;
  }

  std::string path_ = "/base/api/v1/write?x=1";
  Destination destination_;
  ManualClock clock_{kStartMs * kMillion};
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  service::MetricRegistry metrics_;
  std::unique_ptr<delivery::MessageTransport> guard_;
};

constexpr const char* kOld =
    R"({"status":"success","data":{"version":"2.42.0","goVersion":"go1.19","branch":""}})";
constexpr const char* kNew =
    R"({"status":"success","data":{"version":"3.5.0","goVersion":"go1.24","branch":""}})";

TEST_F(Utf8GuardTest, APrometheusBefore3IsSentNothingUntilItIsNewer) {
  says(200, kOld);
  const delivery::Answer answer = send();
  EXPECT_EQ(answer.kind, Kind::kRetry);
  EXPECT_NE(answer.why.find("Prometheus 2.42.0, which leaves out"), std::string::npos);
  EXPECT_EQ(send().kind, Kind::kRetry);
  EXPECT_EQ(asked(), "g");
  says(200, kNew);
  clock_.advance(std::chrono::seconds(31));
  EXPECT_EQ(send().kind, Kind::kTaken);
  EXPECT_EQ(send().kind, Kind::kTaken);
  EXPECT_EQ(asked(), "ggpp");
  says(200, kOld);  // put back
  clock_.advance(std::chrono::minutes(11));
  EXPECT_EQ(send().kind, Kind::kRetry);
}

TEST_F(Utf8GuardTest, WhoIsNoSuchPrometheusTakesThem) {
  for (const char* body :
       {R"({"data":{"version":"2.24.0"}})", "no JSON", "{}",
        R"({"data":{"version":"2.17.1","goVersion":"go1.24","application":"Grafana Mimir"}})"}) {
    guard_.reset();
    says(200, body);
    EXPECT_EQ(send().kind, Kind::kTaken) << body;
  }
  guard_.reset();
  says(404, "");
  EXPECT_EQ(send().kind, Kind::kTaken);
}

TEST_F(Utf8GuardTest, WhereNothingIsKnownOfThePathNobodyIsAsked) {
  path_ = "/receive";
  says(200, kOld);
  EXPECT_EQ(send().kind, Kind::kTaken);
  EXPECT_EQ(asked(), "p");
}

TEST_F(Utf8GuardTest, WhereNobodyAnswersTheMessageIsTriedAgain) {
  HttpSettings settings;
  settings.endpoint = "http://127.0.0.1:1/api/v1/write";
  guard_ = guard_utf8(transport_to(settings), settings, *client_, clock_);
  EXPECT_EQ(send().kind, Kind::kRetry);
}

}  // namespace
}  // namespace vigia::collector::exporters::remote_write
