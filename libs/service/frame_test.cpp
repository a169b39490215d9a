#include "libs/service/frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/client.hpp"
#include "libs/net/routes.hpp"
#include "libs/service/internal_token.hpp"

namespace vigia::service {
namespace {

using testing::HasSubstr;
using testing::Not;

net::ServerSettings at_free_port() {
  net::ServerSettings settings;
  settings.name = "the door";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  return settings;
}

class FrameTest : public testing::Test {
 protected:
  std::string get(const std::string& address, const std::string& path) {
    net::ClientRequest request;
    request.url = "http://" + address + path;
    auto answer = client_->fetch(std::move(request));
    return answer ? answer->body : answer.error().message;
  }

  net::Routes routes_;
  MetricRegistry metrics_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  ServiceFrame frame_{metrics_};
};

TEST_F(FrameTest, ShowsOwnMetricsAndThoseOfTheProcess) {
  metrics_.counter("vigia_seen_total", "Seen").add(3);
  ASSERT_TRUE(frame_.show_metrics("127.0.0.1:0"));
  const std::string page = get(frame_.metrics_address(), "/metrics");
  EXPECT_THAT(page, HasSubstr("vigia_seen_total 3"));
  EXPECT_THAT(page, HasSubstr("process_open_fds"));
}

TEST_F(FrameTest, OnlyTheClientsDoorIsAmongTheMetrics) {
  ASSERT_TRUE(frame_.open(at_free_port(), routes_));
  EXPECT_THAT(metrics_.expose(false), Not(HasSubstr("vigia_doors_answer_bytes")));
  ASSERT_TRUE(frame_.open_to_clients(at_free_port(), routes_));
  EXPECT_THAT(metrics_.expose(false), HasSubstr("vigia_doors_answer_bytes"));
}

TEST_F(FrameTest, APortThatIsTakenIsNamed) {
  ASSERT_TRUE(frame_.open(at_free_port(), routes_));
  net::ServerSettings second = at_free_port();
  second.name = "another door";
  second.listen = frame_.address();
  const auto opened = frame_.open(second, routes_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("another door"));
  EXPECT_EQ(frame_.doors(), 1U);
}

TEST_F(FrameTest, AfterStopNobodyAnswers) {
  add_health_routes(routes_, [] { return true; });
  ASSERT_TRUE(frame_.open(at_free_port(), routes_));
  const std::string address = frame_.address();
  EXPECT_THAT(get(address, "/health"), HasSubstr("ok"));
  frame_.stop(SystemClock().steady());
  EXPECT_THAT(get(address, "/health"), Not(HasSubstr("ok")));
}

TEST_F(FrameTest, ADoorThatSaysHowTheServiceIsStaysOpenThroughStop) {
  add_health_routes(routes_, [] { return false; });
  ASSERT_TRUE(frame_.open(at_free_port(), routes_));
  const auto health = frame_.open_until_end(at_free_port(), routes_);
  ASSERT_TRUE(health);
  const std::string address = (*health)->address();
  EXPECT_EQ(frame_.doors(), 1U);
  frame_.stop(SystemClock().steady());
  EXPECT_THAT(get(address, "/ready"), HasSubstr("unavailable"));
  frame_.end(SystemClock().steady());
  EXPECT_THAT(get(address, "/ready"), Not(HasSubstr("unavailable")));
}

TEST_F(FrameTest, ShowsTheDoorsThatStopCloses) {
  ASSERT_TRUE(frame_.open(at_free_port(), routes_));
  ASSERT_TRUE(frame_.open_until_end(at_free_port(), routes_));
  get(frame_.address(), "/");
  std::vector<std::string> shown;
  frame_.show_doors([&shown](std::string_view name, std::string_view /*help*/, MetricType /*type*/,
                             const MetricLabels& labels, double value) {
    shown.push_back(std::string(name) + " " + labels.at(0).second + " " + std::to_string(value));
  });
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[2], "vigia_requests_total " + frame_.address() + " 1.000000");
}

TEST_F(FrameTest, MetricsThatAreHiddenAreNotServed) {
  ASSERT_TRUE(frame_.show_metrics("127.0.0.1:0"));
  const std::string address = frame_.metrics_address();
  EXPECT_THAT(get(address, "/metrics"), HasSubstr("process_open_fds"));
  frame_.hide_metrics();
  EXPECT_THAT(get(address, "/metrics"), Not(HasSubstr("process_open_fds")));
}

TEST(ServiceFrameAlone, OpensDoorsWithoutAnyMetrics) {
  net::Routes routes;
  ServiceFrame frame;
  EXPECT_TRUE(frame.open(at_free_port(), routes));
}

TEST(HealthPaths, AreThoseThatAreServed) {
  EXPECT_TRUE(HealthPaths().contain("/health"));
  EXPECT_TRUE(HealthPaths().contain("/ready"));
  EXPECT_FALSE(HealthPaths().contain("/health/"));
  EXPECT_FALSE(HealthPaths().contain("/-/ready"));
  EXPECT_TRUE((HealthPaths{"/-/healthy", "/-/ready", {}}.contain("/-/ready")));
}

TEST(InternalToken, IsShownByOneHeaderWithExactlyIt) {
  const InternalToken token("secret");
  struct Case {
    net::Headers headers;
    bool is_shown;
  };
  const Case cases[] = {
      {{{"authorization", "Bearer secret"}}, true},
      {{}, false},
      {{{"authorization", ""}}, false},
      {{{"authorization", "secret"}}, false},
      {{{"authorization", "bearer secret"}}, true},
      {{{"authorization", "Bearer Secret"}}, false},
      {{{"authorization", "Basic secret"}}, false},
      {{{"authorization", "Bearer secre"}}, false},
      {{{"authorization", "Bearer secret"}, {"authorization", "Bearer secret"}}, false},
  };
  for (const Case& one : cases) {
    net::RequestHead head;
    head.headers = one.headers;
    EXPECT_EQ(token.is_shown_by(head), one.is_shown) << one.headers.get("authorization");
  }
}

}  // namespace
}  // namespace vigia::service
