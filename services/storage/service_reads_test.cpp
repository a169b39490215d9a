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
  const std::string shop = stream("shop", R"("records":2,"bytes":4)");
  const std::string bank = stream("bank", R"("records":1,"bytes":11)");
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
  for (const char* bad : {"&width=0", "&width=x", "&origin=", "&direction=backward"}) {
    EXPECT_EQ(list(bad).status, 400) << bad;
  }
  EXPECT_EQ(get("/api/v1/logs/streams", "cliente-a").status, 400) << "no time";
}

TEST_F(ServiceReadsTest, LinesAreCountedByWindows) {
  write_logs("cliente-a", {store::log_record_of(second_ns(), "on the edge"),
                           store::log_record_of(second_ns() + 1, "1"),
                           store::log_record_of(second_ns() + 10, "22"),
                           store::log_record_of(second_ns() + 11, "333")});
  const std::string second = std::to_string(now_ / 1000);
  const auto count = [&](const std::string& parameters) {
    return get("/api/v1/logs/streams?cursor=&start=" + second + "&end=" + second + ".999" +
                   parameters,
               "cliente-a")
        .body;
  };
  const std::string by_tens = "&width=10&origin=" + std::to_string(second_ns());
  EXPECT_THAT(count(by_tens),
              HasSubstr(R"("records":4,"bytes":17,"windows":[[0,1,11],[1,2,3],[2,1,3]])"));
  EXPECT_THAT(count(by_tens + "&lines=%7C%3D%20%222%22"), HasSubstr(R"("windows":[[1,1,2]])"));
  EXPECT_THAT(count(by_tens), HasSubstr(R"("looked_at":{"records":4,"bytes":17,)"));
  EXPECT_THAT(count(by_tens), Not(HasSubstr("cursor")));
  EXPECT_THAT(count("&unless="), HasSubstr(R"("records":4)"));
  EXPECT_THAT(count("&unless=customer_id"), HasSubstr(R"("data":[],"counted":false)"));
  EXPECT_THAT(count("&unless=service_name&unless=x"), HasSubstr(R"("counted":false)"));
}

TEST_F(ServiceReadsTest, LineFiltersLeaveRecordsOut) {
  std::vector<std::string> records;
  for (const char* text : {"order 1", "stock", "order 2", "Order 3", "x\xc3\xa9 order 4"}) {
    records.push_back(store::log_record_of(second_ns() + records.size(), text));
  }
  write_logs("cliente-a", records);
  write_logs("cliente-b", {store::log_record_of(second_ns(), "order of others")});
  using testing::ElementsAre;
  const auto found = [&](const std::string& lines) {
    return logs("cliente-a", "lines=" + lines).bodies;
  };
  const std::string fourth = "x\xc3\xa9 order 4";
  EXPECT_THAT(found("%7C%3D%20%22order%22"), ElementsAre("order 1", "order 2", fourth));
  EXPECT_THAT(found("%7C~%20%22(%3Fi)order%22%20!%3D%20%221%22%20or%20%224%22"),
              ElementsAre("order 2", "Order 3"));
  EXPECT_THAT(found("%7C%3D%20%22%5Cu00e9%22"), ElementsAre(fourth));
  EXPECT_THAT(found("%7C%3D%20%22nothing%22"), ElementsAre());
  const LogPage first = logs("cliente-a", "limit=2&lines=%7C%3D%20%22order%22");
  EXPECT_THAT(first.bodies, ElementsAre("order 1", "order 2"));
  const LogPage last =
      logs("cliente-a", "limit=2&lines=%7C%3D%20%22order%22&cursor=" + first.cursor);
  EXPECT_THAT(last.bodies, ElementsAre(fourth));
  EXPECT_EQ(last.cursor, "");
  // However short a page is to be, each comes further.
  const LogPage one = logs("cliente-a", "answer_bytes=10");
  EXPECT_THAT(one.bodies, ElementsAre("order 1"));
  EXPECT_THAT(logs("cliente-a", "answer_bytes=10&cursor=" + one.cursor).bodies,
              ElementsAre("stock"));
  EXPECT_EQ(logs("cliente-a", "answer_bytes=0").status, 400);
  for (const char* lines : {"%7C%20json", "x", "%7C~%20%22(%22"}) {
    EXPECT_EQ(logs("cliente-a", "lines=" + std::string(lines)).status, 400) << lines;
  }
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
