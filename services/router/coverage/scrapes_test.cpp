#include "services/router/coverage/scrapes.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/router/spool/spool.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::coverage {
namespace {

constexpr TimestampMs kNowMs = 1'800'000'030'000;  // half a minute after a full one

/// What is known of a store that answers every query with that value, none where it is empty.
std::optional<Scrapes> scrapes_of(const std::string& value, int status = 200) {
  const std::string result =
      value.empty() ? "" : fmt::format(R"({{"metric":{{}},"value":[1,"{}"]}})", value);
  const testing::RecordingStore store(
      status,
      fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[{}]}}}})",
                  result));
  const SystemClock clock;
  service::MetricRegistry metrics;
  const access::ByteShares shares(access::ByteShareSettings{});
  const spool::Spool spool({.folder = ::testing::TempDir()}, metrics, clock);
  upstream::Readers readers;
  const auto client = net::Client::create({});
  const upstream::Upstream upstream(
      {*client, *client}, upstream::UpstreamSettings{"hot-0-a", store.url(), "", 1U << 20U, {}},
      {shares, spool, readers}, metrics, clock);
  auto scrapes = read_scrapes(upstream, std::chrono::days(30), kNowMs, std::chrono::seconds(10));
  client->close();
  return scrapes;
}

TEST(Scrapes, AGapThatIsOverEndsAMinuteAfterItsLastMinute) {
  const auto scrapes = scrapes_of("1799999700");
  ASSERT_TRUE(scrapes.has_value());
  EXPECT_EQ(scrapes->from, 1'799'999'760'000);
  EXPECT_FALSE(scrapes->is_open);
}

TEST(Scrapes, WhileItIsOpenNothingIsCovered) {
  const auto scrapes = scrapes_of("1800000000");
  ASSERT_TRUE(scrapes.has_value());
  EXPECT_EQ(scrapes->from, kNowMs);
  EXPECT_TRUE(scrapes->is_open);
}

TEST(Scrapes, WithoutAGapThereIsNothingToSay) {
  const auto scrapes = scrapes_of("");
  ASSERT_TRUE(scrapes.has_value());
  EXPECT_FALSE(scrapes->from.has_value());
}

TEST(Scrapes, AStoreThatDoesNotAnswerTellsNothing) {
  EXPECT_FALSE(scrapes_of("1799999700", 500).has_value());
}

}  // namespace
}  // namespace vigia::router::coverage
