#include "services/router/api/prometheus/exemplar_api.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::prometheus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RecordingStore;
using testing::ServedGateway;

constexpr const char* kAtHot = "/api/v1/query_exemplars";
constexpr const char* kAtCold = "/api/v1/exemplars";

std::string series(const std::string& customer, const std::string& exemplars) {
  return R"({"seriesLabels":{"__name__":"m","customer_id":")" + customer + R"("},"exemplars":[)" +
         exemplars + "]}";
}

std::string exemplar(const std::string& trace, const std::string& value, const std::string& at) {
  return R"({"labels":{"trace_id":")" + trace + R"("},"value":")" + value + R"(","timestamp":)" +
         at + "}";
}

std::string body(const std::string& data) { return R"({"status":"success","data":)" + data + "}"; }

/// As stores would answer in which the fence did not hold: one exemplar both have, one each alone.
std::string of_three(const std::string& store, const std::string& at) {
  std::string all;
  for (const std::string own : {"a", "b", "c"}) {
    all += all.empty() ? "[" : ",";
    all += series("cliente-" + own,
                  exemplar("both-" + own, "0.5", at) + "," + exemplar(store + "-" + own, "1", "9"));
  }
  return body(all + "]");
}

struct Door {
  Door()
      : hot(404, "{}", {{kAtHot, of_three("hot", "7")}}),
        cold(404, "{}", {{kAtCold, of_three("cold", "7.000")}}),
        gateway([this] {
          stores::StoresSettings settings;
          settings.hot_shards = {{"hot-0", hot.url()}};
          settings.cold_url = cold.url();
          return settings;
        }()) {}
  net::ClientResponse ask(const std::string& query, const std::string& token = "read-a") {
    return gateway.ask("GET", kAtHot + query, {{"authorization", "Bearer " + token}});
  }
  RecordingStore hot;
  RecordingStore cold;
  ServedGateway gateway;
};

// R-PM-11.
TEST(ExemplarApi, OfHotAndStorageEachOnce) {
  Door door;
  EXPECT_EQ(
      door.ask("?query=m").body,
      body("[" +
           series("cliente-a", exemplar("both-a", "0.5", "7") + "," + exemplar("cold-a", "1", "9") +
                                   "," + exemplar("hot-a", "1", "9")) +
           "]"));
}

TEST(ExemplarApi, StorageIsAskedByMatchersAndHotByTheFencedQuery) {
  Door door;
  EXPECT_EQ(
      door.ask("?query=rate(m%7Bx%3D~%22y%22%7D%5B5m%5D)%2Bm%7Bx%3D~%22y%22%7D%2Bn%20offset%201h"
               "&start=1&end=2.5")
          .status,
      200);
  EXPECT_THAT(
      door.hot.asked_at(kAtHot),
      ElementsAre(R"(?start=1.000&end=2.500&query=rate(m{x=~"y",customer_id="cliente-a"}[5m]))"
                  R"( + m{x=~"y",customer_id="cliente-a"} + n{customer_id="cliente-a"})"
                  " offset 1h"));
  EXPECT_THAT(door.cold.asked_at(kAtCold),
              ElementsAre("cliente-a?start=1.000&end=2.500&matcher=__name__=m&matcher=x=~y&next=1"
                          "&matcher=__name__=n"));
}

TEST(ExemplarApi, NothingOfAnotherCustomers) {
  Door door;
  for (const std::string own : {"a", "b", "c"}) {
    const auto answer = door.ask("?query=m", "read-" + own);
    EXPECT_THAT(answer.body, HasSubstr("cliente-" + own));
    for (const std::string other : {"a", "b", "c"}) {
      if (other == own) continue;
      for (const std::string store : {"both-", "hot-", "cold-", "cliente-"}) {
        EXPECT_THAT(answer.body, Not(HasSubstr(store + other)));
      }
    }
  }
  EXPECT_THAT(door.ask("?query=m", "op").body, HasSubstr("cold-c"));
}

TEST(ExemplarApi, BadTimesAreRefusedAndNothingSelectedIsNothing) {
  Door door;
  EXPECT_EQ(door.ask("?query=m&start=x").status, 400);
  const auto turned = door.ask("?query=m&start=2&end=1");
  EXPECT_EQ(turned.status, 400);
  EXPECT_THAT(turned.body, HasSubstr("end timestamp must not be before start timestamp"));
  EXPECT_EQ(door.ask("?query=1").body, body("[]"));
  EXPECT_THAT(door.cold.asked_at(kAtCold), ElementsAre());
}

TEST(ExemplarApi, WhatOneStoreDoesNotSayIsTold) {
  const RecordingStore cold(404, "{}", {{kAtCold, of_three("cold", "7")}});
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = cold.url();
  ServedGateway gateway(std::move(settings));
  const auto answer =
      gateway.ask("GET", std::string(kAtHot) + "?query=m", {{"authorization", "Bearer read-a"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("cold-a"));
  EXPECT_THAT(answer.body, HasSubstr("hot part missing"));
}

}  // namespace
}  // namespace vigia::router::api::prometheus
