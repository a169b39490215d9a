#include "services/router/api/loki/log_feed.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/check.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::loki {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kNs = 1'664'088'804'000'000'000;

std::string page_of(int lines) {
  std::string data;
  for (int i = 0; i < lines; ++i) {
    data +=
        fmt::format(R"({}{{"time_ns":"{}","severity":"INFO","body":"x","trace_id":"","span_id":"",)"
                    R"("attributes":{{}},"resource":{{"customer.id":"acme"}}}})",
                    i == 0 ? "" : ",", kNs + i);
  }
  return R"({"status":"success","data":[)" + data + "]}";
}

/// A feed over one page of ten lines.
class LogFeedTest : public ::testing::Test {
 protected:
  LogFeedTest() {
    settings_.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
    settings_.cold_url = store_.url();
    stores_ = std::make_unique<stores::Stores>(
        settings_, upstream::UpstreamClients{*client_, *client_}, metrics_, clock_);
    const LogWalk walk{CustomerId::parse("acme").value(),
                       {},
                       {},
                       {kNs, kNs + 100},
                       Direction::kForward,
                       interest_};
    auto opened = LogFeed::open(*stores_, walk, {}, state_);
    CHECK(opened.has_value());
    feed_ = std::move(*opened);
    state_.watch.resume();
  }
  ~LogFeedTest() override {
    client_->close();
    stores_->stop_reading();
  }

  const testing::RecordingStore store_{200, "{}", {{"/api/v1/logs", page_of(10)}}};
  ManualClock clock_{kNs};
  access::QueryLimits limits_;
  Duration worked_{0};
  const std::shared_ptr<access::Interest> interest_ = std::make_shared<access::Interest>();
  FeedState state_{WorkWatch(clock_, WorkBounds::of(limits_, std::chrono::minutes(2)), interest_,
                             [this] { return worked_; })};
  stores::StoresSettings settings_;
  service::MetricRegistry metrics_;
  const std::unique_ptr<net::Client> client_ = net::Client::create({});
  std::unique_ptr<stores::Stores> stores_;
  std::unique_ptr<LogFeed> feed_;
};

TEST_F(LogFeedTest, GivesTheLinesOfAPage) {
  for (int i = 0; i < 10; ++i) {
    const auto line = feed_->next();
    ASSERT_TRUE(line.has_value()) << line.error().message;
    ASSERT_NE(*line, nullptr);
    EXPECT_EQ((*line)->time_ns, kNs + i);
  }
  EXPECT_EQ(feed_->next().value(), nullptr);
}

TEST_F(LogFeedTest, EndsAmongAPagesLinesWhereTheClientLeaves) {
  ASSERT_TRUE(feed_->next().has_value());
  interest_->lose();
  const auto line = feed_->next();
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, ErrorCode::kDeadline);
}

TEST_F(LogFeedTest, EndsAmongAPagesLinesWithItsTime) {
  ASSERT_TRUE(feed_->next().has_value());
  clock_.advance(std::chrono::seconds(60));
  const auto line = feed_->next();
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(access::limit_of(line.error()), access::QueryLimit::kSeconds);
  EXPECT_THAT(line.error().message, HasSubstr("took too long: it looked at 10 lines"));
}

TEST_F(LogFeedTest, EndsAmongAPagesLinesWithItsWork) {
  ASSERT_TRUE(feed_->next().has_value());
  clock_.advance(std::chrono::milliseconds(1));
  worked_ = std::chrono::seconds(10) + Duration(1);
  const auto line = feed_->next();
  ASSERT_FALSE(line.has_value());
  EXPECT_THAT(line.error().message, HasSubstr("over the limit log_query_cpu_seconds (10): "));
}

}  // namespace
}  // namespace vigia::router::api::loki
