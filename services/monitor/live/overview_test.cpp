#include "services/monitor/live/overview.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "services/monitor/live/alerts.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/testing/known_nodes.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::live {
namespace {

using testing::health_of;
using testing::kA;
using testing::kB;
using testing::kNow;
using testing::kWeb;
using testing::looked;
using testing::pushed_node;

class OverviewOf : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) -> Result<bool> {
      for (const auto& id : {kA, kB}) {
        auto done = customers::insert_customer(
            customers::CustomerRow{id, "Name of " + id.text(), true, "hot-0", {}, 5, 5}, c);
        if (!done) return done;
      }
      auto scraped = pushed_node(*NodeId::parse("db-01"));
      scraped.address = "10.0.0.7:8080";
      auto first = nodes::register_node(scraped, c);
      if (!first) return first;
      return nodes::register_node(pushed_node(kWeb), c);
    }));
  }
  json::JsonValue overview(const std::optional<CustomerId>& customer, const LiveState& live) {
    auto text = (*database_).read([&](store::DatabaseConnection& c) {
      return write_overview(customer, live, kNow, c);
    });
    EXPECT_TRUE(text.has_value());
    return *json::parse_json(*text);
  }
  store::ScratchDatabase database_;
};

TEST_F(OverviewOf, OverviewShowsACustomerOnlyItself) {
  LiveState live = looked({});
  live.nodes[NodeKey(kA, kWeb)].pushed_ms = kNow;
  live.nodes[NodeKey(kA, kWeb)].sample_ms = kNow;
  live.nodes[NodeKey(kA, kWeb)].cpu_percent = 12.5;
  EXPECT_EQ(overview(std::nullopt, live)["customers"].items().size(), 2U);
  const auto own = overview(kB, live);
  ASSERT_EQ(own["customers"].items().size(), 1U);
  EXPECT_EQ(own["customers"].items()[0]["id"].text(), "cliente-b");
  EXPECT_TRUE(own["customers"].items()[0]["nodes"].items().empty());
  const auto a = overview(kA, live)["customers"].items()[0];
  EXPECT_EQ(a["nodes_up"].integer(), 1);
  EXPECT_EQ(a["nodes_unknown"].integer(), 1);
  EXPECT_EQ(a["nodes"].items()[1]["cpu_percent"].number(), 12.5);
}

// C-A6: what an agent pushes about the collector can only arrive while it is reachable.
TEST_F(OverviewOf, WhetherTheCollectorIsReachedIsToldByTheFreshestTruth) {
  LiveState live = looked({});
  const NodeId db = *NodeId::parse("db-01");
  auto& scraped = live.nodes[NodeKey(kA, db)];
  scraped.up = true;
  scraped.answered_ms = kNow;
  scraped.health = health_of({{"agent_collector_reachable", 1}, {"agent_buffer_usage_percent", 0}});
  scraped.scraped_health = {{"agent_collector_reachable", 0}, {"agent_buffer_usage_percent", 7}};
  auto& pushed = live.nodes[NodeKey(kA, kWeb)];
  pushed.pushed_ms = kNow;
  pushed.health = health_of({{"agent_collector_reachable", 0}});  // its buffer drains, oldest first
  auto nodes = overview(kA, live)["customers"].items()[0]["nodes"].items();
  EXPECT_EQ(nodes[0]["collector_reachable"].boolean(), false);
  EXPECT_EQ(nodes[0]["buffer_percent"].number(), 7);
  EXPECT_EQ(nodes[1]["collector_reachable"].boolean(), true);
  // Down: nothing is said of it any more.
  scraped.up = false;
  pushed.pushed_ms = kNow - 60'000;
  nodes = overview(kA, live)["customers"].items()[0]["nodes"].items();
  for (const auto& node : nodes) {
    EXPECT_EQ(node["status"].text(), "down");
    EXPECT_TRUE(node["collector_reachable"].is_null());
    EXPECT_TRUE(node["buffer_percent"].is_null());
  }
}

TEST_F(OverviewOf, WhileOurCollectorIsAwayNobodyIsSaidToReachIt) {
  LiveState live = looked({});
  live.away = {OwnPart::kCollector};
  auto& scraped = live.nodes[NodeKey(kA, *NodeId::parse("db-01"))];
  scraped.up = true;
  scraped.answered_ms = kNow;
  scraped.health = health_of({{"agent_collector_reachable", 1}});
  live.nodes[NodeKey(kA, kWeb)].pushed_ms = kNow;
  auto nodes = overview(kA, live)["customers"].items()[0]["nodes"].items();
  for (const auto& node : nodes) {
    EXPECT_EQ(node["status"].text(), "up");
    EXPECT_TRUE(node["collector_reachable"].is_null());
  }
  // What the node says when it is asked holds.
  scraped.scraped_health = {{"agent_collector_reachable", 0}};
  nodes = overview(kA, live)["customers"].items()[0]["nodes"].items();
  EXPECT_EQ(nodes[0]["collector_reachable"].boolean(), false);
}

TEST_F(OverviewOf, AnOldCpuValueIsNotShownAsThePresentOne) {
  LiveState live = looked({});
  auto& node = live.nodes[NodeKey(kA, kWeb)];
  node.pushed_ms = kNow;
  node.cpu_percent = 12.5;
  node.sample_ms = kNow - kUsageAgeMaxMs - 1;
  EXPECT_TRUE(
      overview(kA, live)["customers"].items()[0]["nodes"].items()[1]["cpu_percent"].is_null());
}

// C-A4: the worst alert that an operator can have is one without a customer.
TEST_F(OverviewOf, TheProvidersOwnAlertsCount) {
  LiveState live = looked({});
  ActiveAlert own;
  own.name = "CollectorDown";
  ActiveAlert of_a;
  of_a.customer = kA;
  ActiveAlert explained = of_a;
  explained.is_inhibited = true;
  live.alerts = {own, of_a, explained};
  const auto all = overview(std::nullopt, live);
  EXPECT_EQ(all["provider_alerts_firing"].integer(), 1);
  EXPECT_EQ(all["customers"].items()[0]["alerts_firing"].integer(), 1);
  EXPECT_EQ(overview(kA, live)["provider_alerts_firing"].integer(), 0);
  live.alerts_ms = kNow - kLiveStateAgeMaxMs - 1;
  const auto old = overview(std::nullopt, live);
  EXPECT_TRUE(old["provider_alerts_firing"].is_null());
  EXPECT_TRUE(old["customers"].items()[0]["alerts_firing"].is_null());
  EXPECT_EQ(old["away"].items()[0].text(), "alertmanager");
}

TEST_F(OverviewOf, AlertsThatAreLeftOutCountAndWhoseAreNotKnownIsTold) {
  LiveState live = looked({});
  live.alerts_of[kA] = AlertsSight{kNow, 40, 30, true};
  const auto all = overview(std::nullopt, live);
  EXPECT_EQ(all["customers"].items()[0]["alerts_firing"].integer(), 30);
  EXPECT_EQ(all["customers"].items()[0]["alerts_left_out"].integer(), 40);
  EXPECT_EQ(all["customers"].items()[0]["are_more_left_out"].boolean(), true);
  EXPECT_EQ(all["customers"].items()[1]["alerts_left_out"].integer(), 0);
  EXPECT_TRUE(all["warnings"].items().empty());
  live.alerts_of[kA].at_ms = kNow - kLiveStateAgeMaxMs - 1;
  const auto old = overview(kA, live);
  EXPECT_TRUE(old["customers"].items()[0]["alerts_firing"].is_null());
  EXPECT_EQ(old["warnings"].items()[0].text(), "alerts missing: more are active than can be read");
  EXPECT_TRUE(old["away"].items().empty()) << "Alertmanager answers";
  EXPECT_TRUE(overview(kB, live)["warnings"].items().empty());
  EXPECT_FALSE(overview(kB, live)["customers"].items()[0]["alerts_firing"].is_null());
}

// C-B10: the overview says that the service itself is not well.
TEST_F(OverviewOf, OurOwnPartsThatAreAwayAreNamed) {
  LiveState live = looked({});
  EXPECT_TRUE(overview(kA, live)["away"].items().empty());
  live.away = {OwnPart::kCollector, OwnPart::kHot, OwnPart::kStorage};
  const auto document = overview(kA, live);
  EXPECT_EQ(document["warnings"].items().size(), 3U);
  ASSERT_EQ(document["away"].items().size(), 3U);
  EXPECT_EQ(document["away"].items()[0].text(), "collector");
  EXPECT_EQ(document["away"].items()[1].text(), "hot");
}

TEST_F(OverviewOf, WithoutALiveStateNothingIsCalledUpOrDown) {
  LiveState live = looked({}, kNow - kLiveStateAgeMaxMs - 1);
  live.alerts_ms = kNow;
  live.router_problem = "router: connection refused at 127.0.0.1";
  live.nodes[NodeKey(kA, kWeb)].pushed_ms = kNow;
  const auto document = overview(kA, live);
  EXPECT_EQ(document["customers"].items()[0]["nodes_unknown"].integer(), 2);
  ASSERT_EQ(document["warnings"].items().size(), 1U);
  EXPECT_EQ(document["warnings"].items()[0].text()->find("127.0.0.1"), std::string::npos);
}

TEST_F(OverviewOf, WhyACustomerIsNotLookedAtIsSaidOfItAlone) {
  LiveState live = looked({});
  live.looked_ms[kA] = kNow - kLiveStateAgeMaxMs - 1;
  live.look_troubles[kA] = LookTrouble::kLate;
  const auto warnings_of = [&](const CustomerId& customer) {
    std::string all;
    const auto document = overview(customer, live);
    for (const auto& one : document["warnings"].items()) all += *one.text() + "\n";
    return all;
  };
  EXPECT_EQ(warnings_of(kA), "live state missing: questions about nodes get no answer in time\n");
  live.look_troubles[kA] = LookTrouble::kTooMuch;
  EXPECT_EQ(warnings_of(kA), "live state missing: more is sent about nodes than can be read\n");
  live.look_troubles.clear();  // there was no time for it
  EXPECT_EQ(warnings_of(kA), "live state missing: questions about nodes get no answer in time\n");
  EXPECT_EQ(warnings_of(kB), "");
  EXPECT_TRUE(overview(std::nullopt, live)["away"].items().empty()) << "nothing of ours is away";
}

}  // namespace
}  // namespace vigia::monitor::live
