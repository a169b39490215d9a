#include "services/router/api/loki/stream_list.hpp"

#include <chrono>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/form.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::loki {
namespace {

using testing::ServedGateway;

const ServedGateway::Headers kReader{{"authorization", "Bearer read-a"}};
constexpr std::int64_t kNs = 1'664'088'804'000'000'000;

stores::StoresSettings with_cold(const std::string& url) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = url;
  return settings;
}

std::string target(const std::string& path, const request::Form& form) {
  return "/loki/api/v1/" + path + "?" + net::encode_form(form);
}

std::vector<std::string> texts_of(const StreamList& list) {
  std::vector<std::string> texts;
  for (const auto& [labels, counts] : list.streams) {
    texts.push_back(to_string(labels) + " " + std::to_string(counts.lines) + " " +
                    std::to_string(counts.bytes));
  }
  return texts;
}

TEST(StreamList, WordsOfOneLevelAreOneStream) {
  StreamList list;
  const auto read = read_streams(*CustomerId::parse("acme"), R"({"data":[
{"severity":"WARN","service_name":"shop","node_id":"n1","environment":"","records":2,"bytes":10},
{"severity":"warning","service_name":"shop","node_id":"n1","environment":"","records":1,"bytes":5},
{"severity":"","service_name":"shop","node_id":"","environment":"test","records":7,"bytes":0}],
"warnings":["it is short"]})",
                                 list);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_THAT(
      texts_of(list),
      ::testing::UnorderedElementsAre(
          R"({customer_id="acme",level="warn",node_id="n1",service_name="shop"} 3 15)",
          R"({customer_id="acme",environment="test",level="unknown",service_name="shop"} 7 0)"));
  EXPECT_THAT(list.warnings, ::testing::ElementsAre("it is short"));
}

TEST(StreamList, WhatIsNoneIsTold) {
  for (const char* text : {"", "{}", R"({"data":[{}]})", R"({"data":[{"severity":"INFO"}]})"}) {
    StreamList list;
    const auto read = read_streams(*CustomerId::parse("acme"), text, list);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

TEST(StreamList, SelectorsOfSeriesAreBoundedByBothNames) {
  const testing::RecordingStore store(200, R"({"status":"success","data":[]})");
  ServedGateway gateway(with_cold(store.url()));
  for (const char* name : {"match[]", "match"}) {
    request::Form form(16, {name, R"({service_name="shop"})"});
    EXPECT_EQ(gateway.ask("GET", target("series", form), kReader).status, 200) << name;
    form.push_back(form.front());
    const auto refused = gateway.ask("GET", target("series", form), kReader);
    EXPECT_EQ(refused.status, 400) << name;
    EXPECT_THAT(refused.body, ::testing::HasSubstr("17 match")) << name;
  }
}

// What lies between whole stretches of time that are over is known then.
TEST(StreamList, ListsAskOnceForWhatIsOver) {
  const testing::RecordingStore store(
      200, "{}",
      {{"/api/v1/logs/streams",
        R"({"status":"success","data":[{"service_name":"shop","node_id":"","environment":"",)"
        R"("severity":"INFO","records":3,"bytes":25,"windows":[[1,2,20],[3,1,5]]}],)"
        R"("looked_at":{"records":3,"bytes":25,"work_us":1}})"}});
  ServedGateway gateway(with_cold(store.url()));
  constexpr std::int64_t kLength = std::chrono::nanoseconds(kStretch).count();
  const std::int64_t begin = kNs / kLength * kLength;
  const auto entries = [&](const std::string& query, std::int64_t start, std::int64_t end) {
    const auto answer = gateway.ask(
        "GET",
        target("index/stats",
               {{"query", query}, {"start", std::to_string(start)}, {"end", std::to_string(end)}}),
        kReader);
    const std::string before = R"("entries":)";
    return std::stoi(answer.body.substr(answer.body.find(before) + before.size()));
  };
  auto asks = [&, seen = std::size_t{0}]() mutable {
    const std::size_t all = store.asked_at("/api/v1/logs/streams").size();
    return all - std::exchange(seen, all);
  };
  const std::string shop = R"({service_name="shop"})";
  EXPECT_EQ(entries(shop, begin + 7, begin + 4 * kLength + 7), 9) << "a head, a tail and between";
  EXPECT_EQ(asks(), 3U);
  EXPECT_EQ(entries(shop, begin + 7, begin + 4 * kLength + 7), 9);
  EXPECT_EQ(asks(), 2U);
  EXPECT_EQ(entries(shop, begin + kLength, begin + 4 * kLength), 3);
  EXPECT_EQ(asks(), 0U);
  EXPECT_EQ(entries(shop, begin + 2 * kLength, begin + 3 * kLength), 0);
  EXPECT_EQ(entries(shop, begin + 3 * kLength, begin + 4 * kLength), 1);
  EXPECT_EQ(asks(), 0U);
  EXPECT_EQ(entries(R"({node_id="x"})", begin + kLength, begin + 2 * kLength), 3);
  EXPECT_EQ(asks(), 1U);
}

}  // namespace
}  // namespace vigia::router::api::loki
