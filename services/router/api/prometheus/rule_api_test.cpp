#include "services/router/api/prometheus/rule_api.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::prometheus {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RecordingStore;
using testing::ServedGateway;
using ::testing::SizeIs;

constexpr const char* kTargets = "/api/v1/targets";

std::string target(const std::string& own) {
  return R"({"discoveredLabels":{"__address__":"10.0.0.)" + own + R"(:9100"},"labels":{)" +
         R"("customer_id":"cliente-)" + own + R"("},"scrapePool":"pool","scrapeUrl":"http://x",)" +
         R"("lastError":"Get \"http://10.0.0.1:9100\": dial tcp: refused","health":"down"})";
}

std::string of_three() {
  return R"({"status":"success","data":{"activeTargets":[)" + target("a") + "," + target("b") +
         "," + target("c") + R"(],"droppedTargets":[{"discoveredLabels":{"x":"dropped"}}]}})";
}

net::ClientResponse ask(ServedGateway& gateway, const std::string& target,
                        const std::string& token) {
  return gateway.ask("GET", target, {{"authorization", "Bearer " + token}});
}

TEST(RuleApi, TargetsAreTheCustomersOwn) {
  const RecordingStore hot(404, "{}", {{kTargets, of_three()}});
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", hot.url()}};
  ServedGateway gateway(std::move(settings));
  for (const std::string own : {"a", "b", "c"}) {
    EXPECT_EQ(ask(gateway, kTargets, "read-" + own).body,
              R"({"status":"success","data":{"activeTargets":[{"discoveredLabels":{},"labels":{)"
              R"("customer_id":"cliente-)" +
                  own +
                  R"("},"scrapePool":"","scrapeUrl":"","globalUrl":"","lastError":)"
                  R"("the target could not be scraped","health":"down"}],"droppedTargets":[],)"
                  R"("droppedTargetCounts":{}}})");
  }
  const std::string all = ask(gateway, kTargets, "op").body;
  EXPECT_THAT(all, HasSubstr("10.0.0.c:9100"));
  EXPECT_THAT(all, Not(HasSubstr("dropped\"}")));
  EXPECT_EQ(ask(gateway, std::string(kTargets) + "?state=ANY&scrapePool=p", "read-a").status, 200);
  EXPECT_THAT(hot.asked_at(kTargets), SizeIs(5));
  EXPECT_THAT(hot.asked_at(kTargets), Each(HasSubstr("state=active")));
  EXPECT_EQ(hot.asked_at(kTargets).back(), "?state=active&scrapePool=p");
}

// Of all shards; who fails is named to the provider.
TEST(RuleApi, EveryShardIsAskedAndEachThatFailsNamed) {
  const RecordingStore hot(404, "{}",
                           {{"/api/v1/alerts", R"({"status":"success","data":{"alerts":[]}})"},
                            {"/api/v1/labels", R"({"status":"success","data":["job"]})"}});
  stores::StoresSettings settings;
  settings.hot_shards = {
      {"east", "http://127.0.0.1:9"}, {"hot-0", hot.url()}, {"west", "http://127.0.0.1:9"}};
  ServedGateway gateway(std::move(settings));
  for (const char* path : {"/api/v1/alerts", "/api/v1/labels"}) {
    const auto answer = ask(gateway, path, "op");
    EXPECT_EQ(answer.status, 200) << answer.body;
    for (const char* name : {"east", "west"}) {
      EXPECT_THAT(answer.body, HasSubstr(fmt::format("hot part missing: the hot store {} does not "
                                                     "answer",
                                                     name)));
    }
    EXPECT_THAT(answer.body, Not(HasSubstr("hot-0")));
    EXPECT_THAT(ask(gateway, path, "read-a").body, Not(HasSubstr("warnings")));
  }
}

TEST(RuleApi, OfDroppedTargetsThereAreNone) {
  const RecordingStore hot(404, "{}", {{kTargets, of_three()}});
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", hot.url()}};
  ServedGateway gateway(std::move(settings));
  for (const char* token : {"read-a", "op"}) {
    EXPECT_EQ(ask(gateway, std::string(kTargets) + "?state=dropped", token).body,
              R"({"status":"success","data":{"activeTargets":[],"droppedTargets":[],)"
              R"("droppedTargetCounts":{}}})");
  }
}

}  // namespace
}  // namespace vigia::router::api::prometheus
