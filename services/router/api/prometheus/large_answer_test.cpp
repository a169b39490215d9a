// Answers of over 1 MiB, which lie in a file between store and client, over the whole door.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::prometheus {
namespace {

using ::testing::EndsWith;
using testing::RecordingStore;
using testing::ServedGateway;
using ::testing::StartsWith;

std::string data_of(std::size_t bytes, const std::string& more) {
  return R"({"resultType":"vector","result":[{"metric":{"a":")" + std::string(bytes, 'x') +
         R"("},"value":[1700000000,"1"]}])" + more + "}";
}

std::string answer_of(std::size_t bytes, const std::string& behind = {}) {
  return R"({"status":"success","data":)" +
         data_of(bytes, R"(,"stats":{"samples":{"totalQueryableSamples":7,"peakSamples":42}})") +
         behind + "}";
}

stores::StoresSettings settings_of(const RecordingStore& hot) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", hot.url()}};
  settings.spool.folder = ::testing::TempDir();
  return settings;
}

net::ClientResponse query(ServedGateway& gateway, const std::string& more = {}) {
  return gateway.ask("GET", "/api/v1/query?query=up" + more, {{"authorization", "Bearer op"}});
}

// Small and large alike, but for the way that they take.
TEST(LargeAnswer, IsWhatASmallOneIs) {
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{1} << 20U, std::size_t{5} << 20U}) {
    const RecordingStore hot(200, answer_of(bytes));
    ServedGateway gateway(settings_of(hot));
    const auto answer =
        gateway.ask("GET", "/api/v1/query?query=up",
                    {{"authorization", "Bearer op"}, {"accept-encoding", "identity"}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.headers.get("content-type"), "application/json");
    EXPECT_THAT(answer.headers.get("x-vigia-served"), StartsWith("hot="));
    const std::string begin =
        R"({"status":"success","data":)" + data_of(bytes, "") + R"(,"infos":[")";
    EXPECT_TRUE(answer.body.starts_with(begin)) << "without the statistics that nobody asked for";
    EXPECT_THAT(answer.body.substr(begin.size() - 8), EndsWith("\"]}"));
    // The client's own way is gzip, which it takes apart again.
    const auto packed = query(gateway);
    EXPECT_TRUE(packed.body.starts_with(begin));
    EXPECT_NEAR(static_cast<double>(packed.body.size()), static_cast<double>(answer.body.size()),
                50);
  }
}

TEST(LargeAnswer, StatisticsThatAreAskedForStay) {
  const RecordingStore hot(200, answer_of(3U << 20U));
  ServedGateway gateway(settings_of(hot));
  const auto answer = query(gateway, "&stats=all");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"peakSamples\":42"), std::string::npos);
}

TEST(LargeAnswer, WhatPromqlRemarksIsBesideIt) {
  const RecordingStore hot(200, answer_of(3U << 20U, R"(,"warnings":["PromQL warning: w"])"));
  ServedGateway gateway(settings_of(hot));
  EXPECT_NE(query(gateway).body.find(R"("warnings":["PromQL warning: w"])"), std::string::npos);
}

TEST(LargeAnswer, OneThatIsNoneGoesToNobody) {
  const RecordingStore hot(200, answer_of(3U << 20U) + "}");
  ServedGateway gateway(settings_of(hot));
  EXPECT_EQ(query(gateway).status, 503);
}

// Where it is read and fenced is another thread, which nobody sees.
TEST(LargeRequest, IsAnsweredAsASmallOne) {
  const RecordingStore hot(200, answer_of(10));
  ServedGateway gateway(settings_of(hot));
  const std::string spaces(40'000, '+');
  const std::string at = "&time=1700000000";
  EXPECT_EQ(query(gateway, spaces + at).body, query(gateway, at).body);
  EXPECT_EQ(query(gateway, spaces + "}").status, 400);
  EXPECT_EQ(gateway.ask("GET", "/api/v1/query?query=up" + spaces, {}).status, 401);
}

TEST(LargeAnswer, WithoutADiskItIsRefusedAndSmallOnesGoOn) {
  const RecordingStore hot(200, answer_of(3U << 20U));
  stores::StoresSettings settings = settings_of(hot);
  settings.spool.folder = "/nowhere";
  ServedGateway gateway(std::move(settings));
  const auto answer = query(gateway);
  EXPECT_EQ(answer.status, 429);
  EXPECT_NE(answer.body.find("no room on its disk"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace vigia::router::api::prometheus
