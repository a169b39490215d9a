#include "services/router/api/prometheus/metadata_api.hpp"

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

constexpr const char* kAtHot = "/api/v1/targets/metadata";
constexpr const char* kPath = "/api/v1/metadata";

std::string target(const std::string& customer) {
  return R"({"target":{"customer_id":")" + customer + R"("},"metric":"scraped","type":"gauge",)" +
         R"("help":"hot of )" + customer + R"(","unit":""})";
}

/// As a hot store would answer in which the fence did not hold.
std::string of_three() {
  return R"({"status":"success","data":[)" + target("cliente-a") + "," + target("cliente-b") + "," +
         target("cliente-c") + "]}";
}

constexpr const char* kOfCold =
    R"({"status":"success","data":{"scraped":[{"type":"gauge","help":"hot of cliente-a","unit":""}],)"
    R"("pushed":[{"type":"counter","help":"cold","unit":"s"}]}})";

/// A door over a hot store and storage.
struct Door {
  explicit Door(int cold_status = 200, std::string of_cold = kOfCold)
      : hot(404, "{}", {{kAtHot, of_three()}, {kPath, of_cold}}),
        cold(cold_status, std::move(of_cold)),
        gateway([this] {
          stores::StoresSettings settings;
          settings.hot_shards = {{"hot-0", hot.url()}};
          settings.cold_url = cold.url();
          return settings;
        }()) {}
  net::ClientResponse ask(const std::string& query, const char* token = "read-a") {
    return gateway.ask("GET", kPath + query, {{"authorization", std::string("Bearer ") + token}});
  }
  RecordingStore hot;
  RecordingStore cold;
  ServedGateway gateway;
};

std::string body(const std::string& data) { return R"({"status":"success","data":)" + data + "}"; }

TEST(MetadataApi, OfHotAndStorageTogether) {
  Door door;
  EXPECT_EQ(door.ask("").body,
            body(R"({"pushed":[{"type":"counter","help":"cold","unit":"s"}],)"
                 R"("scraped":[{"type":"gauge","help":"hot of cliente-a","unit":""}]})"));
  EXPECT_THAT(door.hot.asked_at(kAtHot), ElementsAre(R"(?match_target={customer_id="cliente-a"})"));
  EXPECT_THAT(door.cold.asked_at(kPath), ElementsAre("cliente-a"));
}

TEST(MetadataApi, NothingOfAnothersTarget) {
  Door door;
  for (const std::string own : {"a", "b", "c"}) {
    const auto answer = door.ask("?metric=scraped&limit_per_metric=9", ("read-" + own).c_str());
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("hot of cliente-" + own));
    for (const std::string other : {"b", "c"}) {
      if (other == own) continue;
      EXPECT_THAT(answer.body, Not(HasSubstr("cliente-" + other)));
    }
  }
}

TEST(MetadataApi, OperatorsSeeAllAndAskHotNotByTarget) {
  Door door;
  EXPECT_EQ(door.ask("?metric=pushed", "op").status, 200);
  EXPECT_THAT(door.hot.asked_at(kPath), ElementsAre("?metric=pushed"));
  EXPECT_THAT(door.cold.asked_at(kPath), ElementsAre("?metric=pushed"));
}

// D-F10: as Prometheus, which says so with these words.
TEST(MetadataApi, LimitsAreNumbers) {
  Door door;
  for (const std::string bad : {"x", "1.5", "+-1", "99999999999999999999", " 1"}) {
    for (const std::string name : {"limit", "limit_per_metric"}) {
      const auto answer = door.ask("?" + name + "=" + (bad == " 1" ? "%201" : bad));
      EXPECT_EQ(answer.status, 400) << name << bad;
      EXPECT_THAT(answer.body, HasSubstr(R"("errorType":"bad_data","error":")" + name +
                                         R"( must be a number")"));
    }
  }
  EXPECT_THAT(door.hot.asked_at(kAtHot), ElementsAre());
  const std::string all = door.ask("").body;
  for (const char* none : {"?limit=-1", "?limit=", "?limit=%2B5", "?limit_per_metric=0"}) {
    EXPECT_EQ(door.ask(none).body, all) << none;
  }
  EXPECT_THAT(door.ask("?limit=0").body, HasSubstr(R"("data":{})"));
  EXPECT_THAT(door.ask("?limit=1").body,
              HasSubstr(R"("data":{"pushed":[{"type":"counter","help":"cold","unit":"s"}]})"));
  EXPECT_EQ(door.ask("?limit=1&limit=2").status, 400);
}

TEST(MetadataApi, WhatOneStoreDoesNotSayIsTold) {
  Door refusing(400, R"({"status":"error","errorType":"bad_data","error":"keeps none"})");
  const auto answer = refusing.ask("");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("hot of cliente-a"));
  EXPECT_THAT(answer.body, HasSubstr("cold part missing: the long-term store has refused this "
                                     "(keeps none)"));
  stores::StoresSettings nobody;
  nobody.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  ServedGateway gateway(std::move(nobody));
  EXPECT_EQ(gateway.ask("GET", kPath, {{"authorization", "Bearer read-a"}}).status, 503);
}

}  // namespace
}  // namespace vigia::router::api::prometheus
