// Answers of over 1 MiB, which lie in a file between store and client, over the whole door.
#include <atomic>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "services/router/request/parameters.hpp"
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

/// A long-term store that has what it is asked for: of up to a hundred steps one series, of more a
/// hundred.
class GridStore final : public net::Handler {
 public:
  GridStore() {
    net::ServerSettings settings;
    settings.name = "grid";
    settings.listen = "127.0.0.1:0";
    auto server = net::Server::start(std::move(settings), *this);
    EXPECT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  std::string url() const { return "http://" + server_->address(); }
  int ranges() const { return ranges_; }

  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    response.body = R"({"status":"success","data":[{"a":"0"}]})";
    if (request.path == "/api/v1/query_range") {
      ++ranges_;
      const auto parameters = request::Parameters::read(request);
      response.body = matrix(**parameters->time("start"), **parameters->time("end"));
    }
    responder.send(std::move(response));
  }

 private:
  static std::string matrix(TimestampMs start_ms, TimestampMs end_ms) {
    constexpr TimestampMs kStepMs = 60'000;
    const int series = end_ms - start_ms > 100 * kStepMs ? 100 : 1;
    std::string body = R"({"status":"success","data":{"resultType":"matrix","result":[)";
    for (int i = 0; i < series; ++i) {
      body += fmt::format(R"({}{{"metric":{{"a":"{:03}"}},"values":)", i == 0 ? "" : ",", i);
      for (TimestampMs at = start_ms; at <= end_ms; at += kStepMs) {
        body += fmt::format(R"({}[{},"1"])", at == start_ms ? '[' : ',', at / 1'000);
      }
      body += "]}";
    }
    return body + "]}}";
  }

  std::atomic<int> ranges_{0};
  std::unique_ptr<net::Server> server_;
};

// It was put behind what is kept in memory, twice, and refused where its customer's share of that
// has no room: a page that was shown without the cache was none with it.
TEST(LargeAnswer, BehindStepsThatAreKeptIsAskedForAsAWhole) {
  const TimestampMs now_s = SystemClock().wall_ms() / 1'000;
  const GridStore query;
  const RecordingStore cold(
      404, "{}",
      {{"/api/v1/retention", fmt::format(R"({{"status":"success","data":{{"made":0,"raw":0,"5m":0,)"
                                         R"("1h":0,"1d":0,"past":{},"state":"s"}}}})",
                                         now_s * 1'000)}});
  stores::StoresSettings settings;
  settings.query_url = query.url();
  settings.cold_url = cold.url();
  settings.spool.folder = ::testing::TempDir();
  settings.answer_bytes_max = 8U << 20U;
  ServedGateway gateway(settings);
  const std::int64_t begin = (now_s - 5 * 86'400) / 60 * 60;
  const auto ask = [&](std::int64_t steps) {
    return gateway.ask("GET",
                       fmt::format("/api/v1/query_range?query=up&start={}&end={}&step=60", begin,
                                   begin + (steps - 1) * 60),
                       {{"authorization", "Bearer read-a"}});
  };
  ASSERT_EQ(ask(60).status, 200);
  EXPECT_NE(ask(60).headers.get("x-vigia-served").find("cache="), std::string_view::npos);
  EXPECT_EQ(query.ranges(), 1);
  const auto large = ask(3'060);
  EXPECT_EQ(large.status, 200) << large.body.substr(0, 300);
  EXPECT_EQ(query.ranges(), 3) << "the rest, and then all of it";
  EXPECT_EQ(large.headers.get("x-vigia-served").find("cache="), std::string_view::npos);
  EXPECT_NE(large.body.find(R"("a":"099")"), std::string::npos);
}

}  // namespace
}  // namespace vigia::router::api::prometheus
