// What the whole service gives to whom and when, over the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ServiceReadsTest : public ServiceFixture {};

// C46: it lies there until its whole day goes.
TEST_F(ServiceReadsTest, WhatIsPastItsRetentionIsNotRead) {
  settings_.retention.raw = std::chrono::hours(24);
  service_.reset();
  {
    const SystemClock clock;
    retention::RetentionGuard guard(settings_.store.rocksdb.directory + "/vigia-retention",
                                    std::chrono::hours(24), clock);
    ASSERT_FALSE(guard.now(now_).has_value());
    ASSERT_TRUE(guard.confirm());
    ASSERT_TRUE(guard.now(now_).has_value());
  }
  start();
  const TimestampMs over = now_ - 30LL * 3'600'000;
  EXPECT_EQ(write(series("over", "cliente-a", {{over, 1}}), "cliente-a").status, 204);
  EXPECT_EQ(write(series("kept", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  EXPECT_THAT(read({{MatchType::kNotEqual, "node_id", ""}}, "cliente-a"),
              AllOf(HasSubstr("kept"), Not(HasSubstr("over"))));
}

TEST_F(ServiceReadsTest, StreamsOfLogLinesAreListedWithWhatTheyHold) {
  write_logs("cliente-a",
             {store::log_record_of(second_ns(), "123"), store::log_record_of(second_ns() + 1, "4")},
             "shop");
  write_logs("cliente-a", {store::log_record_of(second_ns(), "of the bank")}, "bank");
  write_logs("cliente-b", {store::log_record_of(second_ns(), "canary")}, "canary");
  const std::string second = std::to_string(now_ / 1000);
  const auto list = [&](const std::string& parameters, const std::string& customer = "cliente-a") {
    return get("/api/v1/logs/streams?start=" + second + "&end=" + second + ".999" + parameters,
               customer);
  };
  const auto stream = [](const std::string& service, const std::string& counts) {
    return R"({"service_name":")" + service + R"(","node_id":"","environment":"","severity":"",)" +
           counts + "}";
  };
  // Of a body with its length and kind in front, two bytes each.
  const std::string shop = stream("shop", R"("records":2,"bytes":8)");
  const std::string bank = stream("bank", R"("records":1,"bytes":13)");
  const auto of = [](const std::string& data) {
    return R"({"status":"success","data":[)" + data + "]}";
  };
  EXPECT_EQ(list("").body, of(bank + "," + shop));
  EXPECT_EQ(list("&query=%7Bservice_name%3D%22shop%22%7D").body, of(shop));
  EXPECT_EQ(list("&matcher=severity%3DERROR").body, of(""));
  EXPECT_THAT(list("&limit=1").body, HasSubstr("truncated"));
  EXPECT_EQ(list("", "cliente-c").body, of(""));
  EXPECT_EQ(list("", "").status, 400) << "of nobody";
  EXPECT_EQ(list("&cursor=00").status, 400);
  EXPECT_EQ(get("/api/v1/logs/streams", "cliente-a").status, 400) << "no time";
}

TEST_F(ServiceReadsTest, TracesAreFoundWithoutTheirIds) {
  const std::string id(store::kTraceIdBytes, 'a');
  net::ClientRequest request;
  request.method = "POST";
  request.url = "/v1/traces";
  request.headers = {{"content-type", "application/x-protobuf"}, {"x-vigia-customer", "cliente-a"}};
  request.body =
      store::export_of("cliente-a",
                       {store::span_of(id, 's', second_ns(),
                                       {.name = "GET /x", .tags = {{"user", "7"}}, .kind = 2})},
                       {{"service.name", "shop"}});
  ASSERT_EQ(send(std::move(request)).status, 200);
  const std::string second = std::to_string(now_ / 1000);
  const std::string search =
      "/api/v1/traces?start=" + second + "&end=" + second + "&service=shop&tag=user%3D";
  EXPECT_THAT(get(search + "7", "cliente-a").body, HasSubstr(R"("operationName":"GET /x")"));
  EXPECT_THAT(get(search + "8", "cliente-a").body, HasSubstr(R"("data":[])"));
  EXPECT_THAT(get(search + "7", "cliente-b").body, HasSubstr(R"("data":[])"));
  EXPECT_THAT(get("/api/v1/services", "cliente-a").body, HasSubstr(R"("data":["shop"])"));
  for (const char* path : {"/api/v1/services/shop/operations", "/api/v1/operations?service=shop"}) {
    EXPECT_THAT(get(path, "cliente-a").body, HasSubstr(R"("span_kind":"server")")) << path;
    EXPECT_THAT(get(path, "cliente-b").body, HasSubstr(R"("data":[])")) << path;
  }
  EXPECT_EQ(get("/api/v1/traces", "cliente-a").status, 400);
  EXPECT_EQ(service_metric("vigia_storage_searches_ended_total{what=\"traces\"}"), 0);
}

// The fence stands beside what a customer wrote: neither finds anything of either, nor walks it.
TEST_F(ServiceReadsTest, WhoNamesTwoCustomersIsInNobodysTurnAndFindsNothing) {
  EXPECT_EQ(write(series("m", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  EXPECT_EQ(write(series("m", "cliente-b", {{now_, 1}}), "cliente-b").status, 204);
  const Matcher a{MatchType::kEqual, "customer_id", "cliente-a"};
  const Matcher b{MatchType::kEqual, "customer_id", "cliente-b"};
  EXPECT_THAT(read({a}), HasSubstr("cliente-a"));
  EXPECT_EQ(read({a, b}), "");
  EXPECT_EQ(read({b, a}), "");
  net::Request request;
  request.body = wire::remote_read::encode_read_request(
      {{0, INT64_MAX, {b, a}}}, {wire::remote_read::ResponseType::kStreamedXorChunks});
  EXPECT_EQ(api::ReadApi::customer_of(request), "?");
  request.body = wire::remote_read::encode_read_request(
      {{0, INT64_MAX, {a, a}}}, {wire::remote_read::ResponseType::kStreamedXorChunks});
  EXPECT_EQ(api::ReadApi::customer_of(request), "cliente-a");
  const auto listed =
      get("/api/v1/series?matcher=customer_id%3Dcliente-b&matcher=customer_id%3Dcliente-a");
  EXPECT_THAT(listed.body, HasSubstr(R"("data":[])"));
}

TEST_F(ServiceReadsTest, NamesAreAnyTextAndReadAsPrometheus3AsksForThem) {
  const Labels own = Labels::from({{"__name__", "http.requests"},
                                   {"customer_id", "cliente-a"},
                                   {"service.name", "caf\xc3\xa9"}});
  std::string message;
  wire::remote_write::append_sample(message, wire::remote_write::encode_labels(own), {now_, 1});
  EXPECT_EQ(write(message, "cliente-a").status, 204);
  EXPECT_THAT(read({{MatchType::kEqual, "__name__", "http.requests"}}), HasSubstr("service.name"));
  EXPECT_EQ(read({{MatchType::kEqual, "__name__", "http_requests"}}), "");
  const std::string shown =
      R"("data":[{"__name__":"http.requests","customer_id":"cliente-a","service.name":"caf)"
      "\xc3\xa9\"}]";
  EXPECT_THAT(get("/api/v1/series?matcher=service.name%3D~caf.*").body, HasSubstr(shown));
  EXPECT_THAT(get("/api/v1/labels").body,
              HasSubstr(R"("data":["__name__","customer_id","service.name"])"));
  for (const char* name : {"service.name", "service%2Ename", "U__service_2e_name"}) {
    EXPECT_THAT(get(std::string("/api/v1/label/") + name + "/values").body,
                HasSubstr("\"data\":[\"caf\xc3\xa9\"]"))
        << name;
  }
  EXPECT_EQ(get("/api/v1/label/a%FF/values").status, 400);
  EXPECT_EQ(get("/api/v1/label/U__/values").status, 400);
  const auto bad = write(series("a\xff", "cliente-a", {{now_, 1}}), "cliente-a");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("not a metric name"));
}

}  // namespace
}  // namespace vigia::storage
