#include "services/monitor/live/live_state.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "services/monitor/live/agent_series.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/live_queries.hpp"
#include "services/monitor/live/testing/known_nodes.hpp"
#include "services/monitor/nodes/limits.hpp"

namespace vigia::monitor::live {
namespace {

using testing::kA;
using testing::kB;
using testing::kNow;
using testing::kWeb;
using testing::looked;
using testing::pushed_node;
using testing::sample;

nodes::NodeRow seen_node(const NodeId& id, std::string address = "") {
  auto node = pushed_node(id);
  node.address = std::move(address);
  node.last_seen_ms = kNow - 3'600'000;
  return node;
}

std::string judged(const nodes::NodeRow& node, const LiveState& state, std::int64_t now_ms = kNow) {
  const auto judgement = judge_node(node, state, now_ms);
  const auto reason = to_string(judgement.reason);
  return std::string(to_string(judgement.status)) +
         (reason.empty() ? "" : " " + std::string(reason));
}

TEST(LiveState, PushedNodesGoDownByAgeScrapedOnesByUp) {
  std::map<NodeKey, NodeLive> nodes;
  add_health(nodes, {sample("agent_uptime_seconds", "prod-web-01", 60)});
  add_health_times(nodes, {sample("agent_uptime_seconds", "prod-web-01", kNow / 1000.0)});
  const auto pushed = pushed_node(kWeb);
  EXPECT_EQ(judged(pushed, looked(nodes, kNow + kPushedHealthAgeMaxMs), kNow), "up");
  EXPECT_EQ(judged(pushed, looked(nodes, kNow + kPushedHealthAgeMaxMs + 1), kNow), "down");
  auto scraped = pushed;
  scraped.address = "10.0.0.1:8080";
  EXPECT_EQ(judged(scraped, looked(nodes)), "unknown unmeasured");
  add_up(nodes, {sample("up", "prod-web-01", 0)});
  EXPECT_EQ(judged(scraped, looked(nodes)), "down");
  add_up(nodes, {sample("up", "prod-web-01", 1)});
  EXPECT_EQ(judged(scraped, looked(nodes)), "up");
}

// C-A7: "added" and "down" are not the same, whatever the scrape of an agent that was never
// started says.
TEST(LiveState, ANodeThatNeverSentAnythingWaitsForItsFirstData) {
  std::map<NodeKey, NodeLive> nodes;
  EXPECT_EQ(judged(pushed_node(kWeb), looked(nodes)), "unknown waiting");
  add_up(nodes, {sample("up", "prod-web-01", 0)});
  auto scraped = pushed_node(kWeb);
  scraped.address = "10.0.0.1:8080";
  EXPECT_EQ(judged(scraped, looked(nodes)), "unknown waiting");
  scraped.last_seen_ms = kNow - 60'000;
  EXPECT_EQ(judged(scraped, looked(nodes)), "down");
}

// C-A3: our own part being away never makes a customer's node down.
TEST(LiveState, WhileOurCollectorIsAwayASilentNodeIsUnknown) {
  auto state = looked({});
  EXPECT_EQ(judged(seen_node(kWeb), state), "down");
  state.away = {OwnPart::kCollector};
  state.blind_ms = kNow;
  state.blinded_by = OwnPart::kCollector;
  EXPECT_EQ(judged(seen_node(kWeb), state), "unknown collector_away");
  // Back: the agents' buffers drain, oldest first.
  state.away.clear();
  state.looked_ms[kA] = kNow + kPushedHealthAgeMaxMs;
  EXPECT_EQ(judged(seen_node(kWeb), state), "unknown collector_away");
  state.looked_ms[kA] = kNow + kPushedHealthAgeMaxMs + 1;
  EXPECT_EQ(judged(seen_node(kWeb), state), "down");
  state.blinded_by = OwnPart::kRouter;
  state.looked_ms[kA] = kNow;
  EXPECT_EQ(judged(seen_node(kWeb), state), "unknown router_away");
}

// After a start of ours a silent node was down, and before the first look the router's fault.
TEST(LiveState, WhatNobodyHasLookedAtYetIsUnmeasured) {
  LiveState state;
  state.router_problem = "the live state has not been asked for yet";
  EXPECT_EQ(judged(seen_node(kWeb), state), "unknown unmeasured");
  state = looked({}, kNow + 5'000);
  state.blind_ms = kNow;
  EXPECT_EQ(judged(seen_node(kWeb), state), "unknown unmeasured");
  state.looked_ms[kA] = kNow + kPushedHealthAgeMaxMs + 1;
  EXPECT_EQ(judged(seen_node(kWeb), state, kNow + kPushedHealthAgeMaxMs + 1), "down");
}

TEST(LiveState, WithoutItsHotStoreANodeIsJudgedByWhatItSendsOrNotAtAll) {
  std::map<NodeKey, NodeLive> nodes;
  add_up(nodes, {sample("up", "prod-web-01", 1)});  // a memory: the cold store has it for 5 min
  auto state = looked(nodes);
  state.hot_blind_ms[kA] = kNow;
  const auto scraped = seen_node(kWeb, "10.0.0.1:8080");
  EXPECT_EQ(judged(scraped, state), "unknown hot_away");
  EXPECT_EQ(judged(seen_node(kWeb), state), "unknown hot_away");
  state.nodes.at(NodeKey(kA, kWeb)).pushed_ms = kNow - 10'000;
  EXPECT_EQ(judged(scraped, state), "up");
  EXPECT_EQ(judged(seen_node(kWeb), state), "up");
  nodes::NodeRow other = seen_node(kWeb);
  other.customer = kB;  // on another shard
  EXPECT_EQ(judged(other, state), "down");
}

TEST(LiveState, NodesAreJudgedByTheTimeOfTheLookUntilItIsTooOld) {
  std::map<NodeKey, NodeLive> nodes;
  add_health_times(nodes, {sample("agent_uptime_seconds", "prod-web-01", kNow / 1000.0)});
  auto state = looked(nodes, kNow + 40'000);
  EXPECT_EQ(judged(pushed_node(kWeb), state, kNow + 40'000 + kLiveStateAgeMaxMs), "up");
  const auto late = kNow + 40'001 + kLiveStateAgeMaxMs;
  EXPECT_EQ(judged(pushed_node(kWeb), state, late), "unknown unmeasured");
  state.router_problem = "no answer";
  EXPECT_EQ(judged(pushed_node(kWeb), state, late), "unknown router_away");
}

TEST(LiveState, SamplesWithoutGoodIdsArePassedOver) {
  std::map<NodeKey, NodeLive> nodes;
  add_health(nodes, {sample("agent_uptime_seconds", "../etc", 1),
                     VectorSample{Labels::from({{"node_id", "n"}}), 1}});
  EXPECT_TRUE(nodes.empty());
}

// 12,000 invented nodes of one customer, sent in 2 s, took the live state from every other.
TEST(LiveState, ACustomerWithEndlessNodesHoldsUpNobody) {
  LiveState state;
  state.taken_ms = kNow;
  NodeLive live;
  live.pushed_ms = kNow;
  for (int i = 0; i < 12'000; ++i) {
    state.nodes.emplace(NodeKey(kA, *NodeId::parse("n" + std::to_string(i))), live);
  }
  const NodeKey other(kB, kWeb);
  state.nodes.emplace(other, live);
  const auto due = nodes_to_keep(state, {});
  EXPECT_EQ(due.size(), kRegistrationsPerLookMax + 1);
  EXPECT_EQ(*due.back(), other);
  std::vector<nodes::NodeRow> known;
  for (std::size_t i = 0; i < nodes::kNodesPerCustomerMax; ++i) {
    known.push_back(pushed_node(*NodeId::parse("known-" + std::to_string(i))));
  }
  EXPECT_EQ(nodes_to_keep(state, known).size(), 1U);
}

TEST(LiveState, NodesAreWrittenDownOnceAMinute) {
  LiveState state;
  state.taken_ms = kNow;
  NodeLive live;
  live.pushed_ms = kNow;
  state.nodes.emplace(NodeKey(kA, kWeb), live);
  nodes::NodeRow node = pushed_node(kWeb);
  node.last_seen_ms = kNow - kSeenEveryMs + 1;
  EXPECT_TRUE(nodes_to_keep(state, {node}).empty());
  node.last_seen_ms = kNow - kSeenEveryMs;
  EXPECT_EQ(nodes_to_keep(state, {node}).size(), 1U);
}

// "Down since" went back by up to a minute when the live state had forgotten the node.
TEST(LiveState, WhenANodeWasLastSeenIsWrittenDownOnceItIsSilent) {
  LiveState state;
  state.nodes[NodeKey(kA, kWeb)].answered_ms = kNow;
  nodes::NodeRow node = pushed_node(kWeb);
  node.last_seen_ms = kNow - 23'000;
  state.taken_ms = kNow + kPushedHealthAgeMaxMs;
  EXPECT_TRUE(nodes_to_keep(state, {node}).empty());
  state.taken_ms += 1;
  EXPECT_EQ(nodes_to_keep(state, {node}).size(), 1U);
  node.last_seen_ms = kNow;
  EXPECT_TRUE(nodes_to_keep(state, {node}).empty());
}

TEST(LiveState, QueriesBoundWhatOneCustomerAddsToTheAnswer) {
  for (const LiveQuery& query : live_queries(LookGroup{{kA, kB}, 1616})) {
    EXPECT_NE(query.text.find(R"(customer_id=~"cliente-a|cliente-b")"), std::string::npos)
        << query.text;
    // Not a customer's to make: the job is reserved.
    if (query.text.find(R"(job="customer-agents")") != std::string::npos) {
      // Of a node that pushes it would be our own word of a minute ago: seen too late.
      EXPECT_NE(query.text.find(R"(reach="scrape")"), std::string::npos) << query.text;
      continue;
    }
    EXPECT_TRUE(query.text.starts_with("topk by (customer_id) (1616, max by (customer_id, node_id"))
        << query.text;
    EXPECT_NE(query.text.find("node_id=~\".{0,128}\""), std::string::npos) << query.text;
  }
}

TEST(LiveState, OurOwnPartsAreAwayWhereEveryCopySaysSo) {
  const auto up = [](const std::string& job, double value) {
    return VectorSample{Labels::from({{"job", job}}), value};
  };
  EXPECT_TRUE(own_parts_away({}).empty());
  EXPECT_TRUE(own_parts_away({up("otel-collector", 1), up("vigia-storage", 1)}).empty());
  EXPECT_EQ(own_parts_away({up("otel-collector", 0), up("vigia-storage", 1)}),
            std::set<OwnPart>{OwnPart::kCollector});
}

TEST(LiveState, AsksForNoMoreSeriesOfANodeThanItsPartOfTheAnswer) {
  std::size_t series = 0;
  const auto query = live_queries(LookGroup{{kA}, 1})[0].text;
  for (const auto& metric : agent_metrics()) {
    if (metric.label == "signal") {
      EXPECT_EQ(query.find(metric.name), std::string::npos) << query;
      continue;
    }
    EXPECT_NE(query.find(metric.name), std::string::npos) << query;
    series += metric.label.empty() ? 1 : metric.values.size();
  }
  EXPECT_EQ(series, kLiveSeriesPerNodeMax);
  EXPECT_NE(query.find(R"(reason=~"|too_old|cap|damaged")"), std::string::npos) << query;
}

}  // namespace
}  // namespace vigia::monitor::live
