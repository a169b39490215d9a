#include "services/router/api/jaeger/trace_list.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::jaeger {
namespace {

using ::testing::HasSubstr;
using testing::RecordingStore;
using testing::ServedGateway;

const ServedGateway::Headers kReader{{"authorization", "Bearer read-a"}};
constexpr const char* kOne =
    R"({"data":[{"traceID":"0a"}],"total":1,"limit":0,"offset":0,"errors":null})";

stores::StoresSettings with_cold(const RecordingStore& cold) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = cold.url();
  return settings;
}

std::string id_of(char digit) { return std::string(31, '0') + digit; }

TEST(TraceList, EachIdIsAskedForOnceAndOfTheCallersCustomer) {
  const RecordingStore cold(200, kOne);
  ServedGateway gateway(with_cold(cold));
  const auto answer = gateway.ask(
      "GET", "/jaeger/api/traces?traceID=b&traceID=A&traceID=0b&customer=cliente-b&service=x",
      {{"authorization", "Bearer read-a"}, {"x-vigia-customer", "cliente-b"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"data":[{"traceID":"0a"},{"traceID":"0a"}],"total":2,"limit":0,)"
                         R"("offset":0,"errors":null})");
  const auto asked = cold.asked();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].path, "/jaeger/api/traces/" + id_of('b'));
  EXPECT_EQ(asked[1].path, "/jaeger/api/traces/" + id_of('a'));
  for (const net::Request& request : asked) {
    EXPECT_EQ(request.query, "");
    ASSERT_EQ(request.headers.count("x-vigia-customer"), 1U);
    EXPECT_EQ(request.headers.get("x-vigia-customer"), "cliente-a");
  }
}

TEST(TraceList, WhatIsNotThereIsNamed) {
  const RecordingStore cold(404, "");
  ServedGateway gateway(with_cold(cold));
  const auto answer = gateway.ask("GET", "/jaeger/api/traces?traceID=1&traceID=2", kReader);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"data":[],"total":0,"limit":0,"offset":0,"errors":[)"
                         R"({"msg":"trace not found","traceID":")" +
                             id_of('1') + R"("},{"msg":"trace not found","traceID":")" +
                             id_of('2') + R"("}]})");
}

TEST(TraceList, AStoreThatCannotSayIsTheAnswerToAll) {
  for (const auto& [status, body] : std::initializer_list<std::pair<int, std::string>>{
           {503, ""}, {500, ""}, {200, "{}"}, {200, R"({"data":[],"total":0})"}}) {
    const RecordingStore cold(status, body);
    ServedGateway gateway(with_cold(cold));
    const auto answer = gateway.ask("GET", "/jaeger/api/traces?traceID=1&traceID=2", kReader);
    EXPECT_EQ(answer.status, 503) << status << body;
    EXPECT_EQ(cold.asked().size(), 1U) << status << body;
  }
}

TEST(TraceList, BadIdsTooManyAndAnOperatorWithoutACustomerAskNoStore) {
  const RecordingStore cold(200, kOne);
  ServedGateway gateway(with_cold(cold));
  std::string many = "/jaeger/api/traces?traceID=1";
  for (std::size_t i = 2; i <= kTraceIdsMax + 1; ++i) many += "&traceID=" + std::to_string(i);
  for (const std::string& target :
       {std::string("/jaeger/api/traces?traceID="), std::string("/jaeger/api/traces?traceID=0"),
        std::string("/jaeger/api/traces?traceID=1&traceID=x"), many}) {
    const auto answer = gateway.ask("GET", target, kReader);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_THAT(answer.body, HasSubstr("traceID")) << target;
  }
  EXPECT_EQ(
      gateway.ask("GET", "/jaeger/api/traces?traceID=1", {{"authorization", "Bearer op"}}).status,
      400);
  EXPECT_TRUE(cold.asked().empty());
}

TEST(TraceList, TracesPastTheCustomersShareAreRefused) {
  const std::string large = R"({"data":["x)" + std::string(100'000, 'x') +
                            R"("],"total":1,"limit":0,"offset":0,"errors":null})";
  const RecordingStore cold(200, large);
  stores::StoresSettings settings = with_cold(cold);
  settings.answers_bytes_total_max = 1'000'000;  // of which one customer has half
  ServedGateway gateway(settings);
  const std::string one = "/jaeger/api/traces?traceID=1";
  EXPECT_EQ(gateway.ask("GET", one, kReader).status, 200);
  EXPECT_EQ(gateway.ask("GET", one + "&traceID=2&traceID=3", kReader).status, 429);
}

}  // namespace
}  // namespace vigia::router::api::jaeger
