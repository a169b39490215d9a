#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/remote_read/read_request.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::prometheus {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::RecordingStore;
using testing::ServedGateway;
using wire::remote_read::Query;
using wire::remote_read::ResponseType;

stores::StoresSettings with_cold(const RecordingStore& cold) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = cold.url();
  return settings;
}

std::string request_of(std::vector<Matcher> matchers) {
  return wire::remote_read::encode_read_request({{1, 2, std::move(matchers)}},
                                                {ResponseType::kStreamedXorChunks});
}

net::ClientResponse read_with(ServedGateway& gateway, const char* token, std::string body) {
  return gateway.ask("POST", "/api/v1/read",
                     {{"authorization", std::string("Bearer ") + token},
                      {"content-type", "application/x-protobuf"},
                      {"content-encoding", "snappy"},
                      {"x-vigia-customer", "cliente-b"}},
                     std::move(body));
}

TEST(ReadApi, StorageIsToldTheCallersCustomerTwice) {
  const RecordingStore cold(200, "frames");
  ServedGateway gateway(with_cold(cold));
  const auto answer = read_with(gateway, "read-a", request_of({{MatchType::kEqual, "a", "b"}}));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, "frames");
  const auto asked = cold.asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].headers.get("x-vigia-customer"), "cliente-a");
  EXPECT_EQ(asked[0].headers.count("authorization"), 0U);
  const auto sent = wire::remote_read::parse_read_request(asked[0].body);
  ASSERT_TRUE(sent.has_value());
  EXPECT_EQ(sent->queries[0].matchers.back(),
            (Matcher{MatchType::kEqual, "customer_id", "cliente-a"}));
  EXPECT_EQ(read_with(gateway, "op", request_of({{MatchType::kEqual, "a", "b"}})).status, 200);
  EXPECT_EQ(cold.asked()[1].headers.get("x-vigia-customer"), "cliente-b");
}

TEST(ReadApi, WhatStorageRefusesIsSaidInItsWords) {
  for (const auto& [status, told] : std::initializer_list<std::pair<int, int>>{
           {400, 400}, {422, 400}, {413, 413}, {429, 429}, {500, 503}, {503, 503}, {404, 503}}) {
    const RecordingStore cold(status, "9 series; narrow it\n");
    ServedGateway gateway(with_cold(cold));
    const auto answer = read_with(gateway, "read-a", request_of({{MatchType::kEqual, "a", "b"}}));
    EXPECT_EQ(answer.status, told) << status;
    EXPECT_EQ(answer.body.find("narrow it") != std::string::npos, told != 503) << answer.body;
  }
  const RecordingStore telling(400, "10.0.0.1:9096 refuses");
  ServedGateway gateway(with_cold(telling));
  EXPECT_THAT(read_with(gateway, "read-a", request_of({{MatchType::kEqual, "a", "b"}})).body,
              Not(HasSubstr("10.0.0.1")));
}

TEST(ReadApi, WhatCannotBeReadAsksNoStore) {
  const RecordingStore cold(200, "");
  ServedGateway gateway(with_cold(cold));
  EXPECT_EQ(read_with(gateway, "read-a", "query=up").status, 400);
  EXPECT_EQ(read_with(gateway, "read-a", "").status, 400);
  EXPECT_EQ(read_with(gateway, "nobody", request_of({})).status, 401);
  EXPECT_EQ(gateway.ask("GET", "/api/v1/read", {{"authorization", "Bearer read-a"}}).status, 405);
  EXPECT_TRUE(cold.asked().empty());
}

}  // namespace
}  // namespace vigia::router::api::prometheus
