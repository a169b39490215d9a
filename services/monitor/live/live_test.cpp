#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/tenancy/directory_document.hpp"
#include "services/monitor/internal_port/node_targets.hpp"
#include "services/monitor/internal_port/snapshot.hpp"
#include "services/monitor/live/agent_series.hpp"
#include "services/monitor/live/alerts.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/live/live_queries.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/live/overview.hpp"
#include "services/monitor/nodes/limits.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::live {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");
const NodeId kWeb = *NodeId::parse("prod-web-01");
constexpr std::int64_t kNow = 1'795'575'845'000;

VectorSample sample(const std::string& name, const std::string& node, double value) {
  return VectorSample{
      Labels::from({{"__name__", name}, {"customer_id", "cliente-a"}, {"node_id", node}}), value};
}

nodes::NodeRow pushed_node(const NodeId& id) {
  return nodes::NodeRow{kA, id, "us-east-1", "production", "", true, kNow, 0, 0};
}

TEST(PrometheusAnswer, VectorsAreReadAndErrorsKeepTheirWords) {
  const auto samples =
      read_vector(R"({"status":"success","data":{"resultType":"vector","result":[)"
                  R"({"metric":{"__name__":"up","node_id":"n"},"value":[1795575845.123,"1"]},)"
                  R"({"metric":{"node_id":"m"},"value":[1795575845.123,"+Inf"]}]}})");
  ASSERT_TRUE(samples.has_value());
  ASSERT_EQ(samples->size(), 2U);
  EXPECT_EQ((*samples)[0].labels.metric_name(), "up");
  EXPECT_EQ((*samples)[0].value, 1.0);
  const auto refused =
      read_vector(R"({"status":"error","errorType":"bad_data","error":"parse error"})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "parse error");
  EXPECT_FALSE(read_vector("<html>").has_value());
  EXPECT_FALSE(read_vector(R"({"status":"success","data":{"resultType":"vector","result":[)"
                           R"({"metric":{},"value":[1,"x"]}]}})")
                   .has_value());
}

TEST(PrometheusAnswer, VectorsAreReadInWhateverOrderAndNothingThatIsNone) {
  std::vector<std::string> warnings;
  const auto samples = read_vector(
      R"({"warnings":["one","two"],"data":{"result":[{"value":[1,"2"],"metric":{"a":"\u00e9\n"}},)"
      R"({"metric":{"a":"b"},"histogram":[1,{"count":"1"}]}],"resultType":"vector"},)"
      R"("status":"success"})",
      warnings);
  ASSERT_TRUE(samples.has_value());
  ASSERT_EQ(samples->size(), 1U) << "a native histogram has no value";
  EXPECT_EQ((*samples)[0].labels.get("a"), "é\n");
  EXPECT_EQ(warnings, (std::vector<std::string>{"one", "two"}));
  const std::string head = R"({"status":"success","data":{"resultType":)";
  const std::string one = R"({"metric":{},"value":[1,"2"]})";
  for (const std::string& bad :
       {head + R"("matrix","result":[]}})", head + R"("vector","result":[)" + one,
        head + R"("vector","result":[)" + one + ",", head + R"("vector","result":[)" + one + "]",
        head + R"("vector","result":[{"metric":{},"value":[1]}]}})",
        head + R"("vector","result":[{"metric":{},"value":[1,"2","3"]}]}})",
        head + R"("vector","result":[{"metric":{},"value":["1","2"]}]}})",
        head + R"("vector","result":[{"metric":{"a":1},"value":[1,"2"]}]}})",
        head + R"("vector"}})", std::string(R"({"status":"success"})"), std::string()}) {
    EXPECT_FALSE(read_vector(bad).has_value()) << bad;
  }
}

/// A look at cliente-a at kNow that found what `nodes` holds.
LiveState looked(std::map<NodeKey, NodeLive> nodes, std::int64_t at_ms = kNow) {
  LiveState state;
  state.taken_ms = at_ms;
  state.alerts_ms = at_ms;
  state.looked_ms = {{kA, at_ms}, {kB, at_ms}};
  state.nodes = std::move(nodes);
  return state;
}

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

std::vector<std::vector<std::string>> names_of(const std::vector<LookGroup>& groups) {
  std::vector<std::vector<std::string>> names;
  for (const auto& group : groups) {
    auto& one = names.emplace_back();
    for (const auto& customer : group.customers) one.push_back(customer.text());
  }
  return names;
}

using Names = std::vector<std::vector<std::string>>;

std::map<CustomerId, std::size_t> customers_with(
    const std::vector<std::pair<std::string, std::size_t>>& counts) {
  std::map<CustomerId, std::size_t> nodes;
  for (const auto& [id, count] : counts) nodes[*CustomerId::parse(id)] = count;
  return nodes;
}

TEST(LookPlan, SmallCustomersAreAskedForTogetherLargeOnesAlone) {
  LookPlan plan;
  const auto groups =
      plan.groups(customers_with({{"a", 3}, {"b", 2'500}, {"c", 1'200}, {"d", 200}}));
  EXPECT_EQ(names_of(groups), (Names{{"b"}, {"a", "c"}, {"d"}}));
  // Each may add what its largest member needs, and new nodes.
  EXPECT_EQ(groups[1].series_per_customer,
            (1'200 + kRegistrationsPerLookMax) * kLiveSeriesPerNodeMax);
}

// Of 1,900 nodes it was 6 MB, heavy for the router, and stood behind customers' heavy queries.
TEST(LookPlan, AFullGroupsAnswerIsLightForTheRouter) {
  constexpr std::size_t kLightBytes = 4U << 20U;  // services/router/access/query_weights.hpp
  std::size_t series = 0;
  std::size_t bytes = 0;
  for (const auto& metric : agent_metrics()) {
    if (!metric.label.empty() && metric.label != "reason") continue;
    const std::vector<std::string_view> values =
        metric.values.empty()
            ? std::vector<std::string_view>{""}
            : std::vector<std::string_view>(metric.values.begin(), metric.values.end());
    for (const auto value : values) {
      ++series;
      bytes += std::string(R"({"metric":{"__name__":"","customer_id":"","node_id":""},)").size() +
               metric.name.size() + 24 + 32 +  // ids
               (value.empty() ? 0 : value.size() + std::string(R"(,"reason":"")").size()) +
               std::string(R"("value":[1795575845.123,"1795575845.123"]},)").size();
    }
  }
  EXPECT_LE(series, kLiveSeriesPerNodeMax);
  std::map<CustomerId, std::size_t> nodes;
  for (int i = 0; i < 400; ++i) nodes[*CustomerId::parse("c" + std::to_string(i))] = 9;
  LookPlan plan;
  const auto groups = plan.groups(nodes);
  EXPECT_EQ(groups.size(), 3U);
  for (const auto& group : groups) EXPECT_LE(group.customers.size() * 9 * bytes, kLightBytes);
}

// B5: 40,000 invented nodes of one customer, or a query that the store cannot answer in time, took
// the live state from everybody.
TEST(LookPlan, WhoSendsTooMuchIsAskedForAlone) {
  LookPlan plan;
  const auto nodes = customers_with({{"a", 1}, {"b", 1}, {"c", 1}});
  ASSERT_EQ(names_of(plan.groups(nodes)), (Names{{"a", "b", "c"}}));
  plan.note_crowded(*CustomerId::parse("b"));
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"a", "c"}, {"b"}}));
  for (int i = 0; i < 300; ++i) std::ignore = plan.groups(nodes);
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"a", "b", "c"}}));
}

TEST(LookPlan, AGroupThatFailsIsCutUntilWhoMakesItFailIsAlone) {
  LookPlan plan;
  const auto nodes = customers_with({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}});
  const auto bad = *CustomerId::parse("d");
  std::size_t looks = 0;
  std::set<std::string> unanswered;
  do {
    unanswered.clear();
    for (const auto& group : plan.groups(nodes)) {
      const bool has_bad =
          std::find(group.customers.begin(), group.customers.end(), bad) != group.customers.end();
      has_bad ? plan.note_failed(group) : plan.note_answered(group);
      if (!has_bad) continue;
      for (const auto& customer : group.customers) unanswered.insert(customer.text());
    }
  } while (++looks < 10 && unanswered.size() > 1);
  EXPECT_EQ(unanswered, std::set<std::string>{"d"});
  EXPECT_LE(looks, 4U);
  // When it has been well for long, all are together.
  for (int i = 0; i < 300; ++i) {
    for (const auto& group : plan.groups(nodes)) plan.note_answered(group);
  }
  EXPECT_EQ(plan.groups(nodes).size(), 1U);
}

// Whose questions failed was the first of the next look, and with a few of them the only ones.
TEST(LookPlan, WhoseQuestionsFailEachTimeTakesNoTurnOfThoseWhoWait) {
  LookPlan plan;
  const auto nodes = customers_with({{"a", 2'500}, {"b", 2'500}, {"c", 2'500}});
  for (int look = 0; look < 20; ++look) plan.note_failed(LookGroup{{*CustomerId::parse("a")}, 1});
  plan.note_missed(LookGroup{{*CustomerId::parse("b")}, 1});
  plan.note_missed(LookGroup{{*CustomerId::parse("c")}, 1});
  plan.note_missed(LookGroup{{*CustomerId::parse("c")}, 1});
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"c"}, {"b"}, {"a"}}));
  plan.note_answered(LookGroup{{*CustomerId::parse("c")}, 1});
  EXPECT_EQ(names_of(plan.groups(nodes)), (Names{{"b"}, {"a"}, {"c"}}));
}

TEST(LookPlan, AnAnswerThatIsFullNamesWhoFilledIt) {
  std::vector<VectorSample> samples;
  for (int i = 0; i < 20; ++i) samples.push_back(sample("agent_x", "n" + std::to_string(i), 1));
  EXPECT_EQ(crowded_in(LookGroup{{kA, kB}, 20}, samples), std::vector<CustomerId>{kA});
  EXPECT_TRUE(crowded_in(LookGroup{{kA, kB}, 21}, samples).empty());
}

AgentHealth health_of(const std::map<std::string, double>& values) {
  AgentHealth health;
  for (const auto& [name, value] : values) health.add(name, "", value);
  return health;
}

TEST(NodeHealth, IsTextForPrometheusAndJsonForPeople) {
  NodeLive live;
  live.pushed_ms = kNow;
  live.health = health_of({{"agent_buffer_usage_percent", 25},
                           {"agent_collector_reachable", 1},
                           {"agent_uptime_seconds", 259'200}});
  const auto text = internal_port::node_health(
      &live, "application/openmetrics-text;version=1.0.0,*/*", kNow, kNow);
  EXPECT_EQ(text.status, 200);
  EXPECT_NE(text.body.find("agent_buffer_usage_percent 25\n"), std::string::npos) << text.body;
  const auto json = json::parse_json(internal_port::node_health(&live, "*/*", kNow, kNow).body);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["status"].text(), "healthy");
  EXPECT_EQ((*json)["buffer_usage"].text(), "25%");
  EXPECT_EQ(internal_port::node_health(&live, "*/*", kNow + 45'001, kNow + 45'001).status, 503);
  EXPECT_EQ(internal_port::node_health(nullptr, "*/*", kNow, kNow).status, 503);
  // The age of the look is not the age of the health.
  EXPECT_EQ(internal_port::node_health(&live, "*/*", kNow + 44'000, kNow + 44'000 + 45'000).status,
            200);
  EXPECT_EQ(internal_port::node_health(&live, "*/*", kNow, kNow + 45'001).status, 503);
}

// A customer's agent says what it likes; of a pushed node new series stood in hot at every look,
// and a reason was written as it came, as further lines or labels.
TEST(NodeHealth, OfANodeThatPushesHoldsNoSeriesOfACustomersChoice) {
  std::map<NodeKey, NodeLive> nodes;
  std::vector<VectorSample> samples{sample("agent_healthy", "prod-web-01", 1),
                                    sample("agent_faults_total", "prod-web-01", std::nan(""))};
  for (int i = 0; i < 100; ++i) {
    samples.push_back(sample("agent_x" + std::to_string(i), "prod-web-01", 1));
  }
  for (const std::string reason : {"x", "cap", "a\"} 1\nagent_healthy{b=\"c"}) {
    samples.push_back({Labels::from({{"__name__", "agent_buffer_dropped_total"},
                                     {"customer_id", kA.text()},
                                     {"node_id", "prod-web-01"},
                                     {"reason", reason}}),
                       2});
  }
  add_health(nodes, samples);
  NodeLive& live = nodes.at(NodeKey(kA, kWeb));
  live.pushed_ms = kNow;
  EXPECT_EQ(internal_port::node_health(&live, "text/plain;version=0.0.4", kNow, kNow).body,
            "# TYPE agent_healthy gauge\nagent_healthy 1\n"
            "# TYPE agent_buffer_dropped_total counter\n"
            "agent_buffer_dropped_total{reason=\"cap\"} 2\n");
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

TEST(Alerts, OneOfANodeStaysAndCriticalComesFirst) {
  const auto item = [](const std::string& id, const std::string& labels) {
    return R"({"fingerprint":")" + id + R"(","startsAt":"2026-11-25T02:00:00Z","labels":{)" +
           labels + R"(},"annotations":{"summary":"s"},"status":{"state":"active"}})";
  };
  const std::string node = R"("customer_id":"cliente-a","node_id":"n")";
  const auto alerts = read_alerts(
      "[" + item("1", R"("alertname":"HighCPUUsage","severity":"warning",)" + node) + "," +
      item("2", R"("alertname":"CollectorDown","severity":"critical")") + "," +
      item("3", R"("alertname":"HighCPUUsage","severity":"warning","job":"x",)" + node) + "]");
  ASSERT_TRUE(alerts.has_value());
  ASSERT_EQ(alerts->size(), 2U);
  EXPECT_EQ((*alerts)[0].name, "CollectorDown");
  EXPECT_EQ((*alerts)[0].customer, std::nullopt);
  EXPECT_EQ((*alerts)[1].customer, kA);
}

TEST(Alerts, AreReadOneByOneSoThatACutListGivesThoseThatAreWhole) {
  const std::string one = R"({"fingerprint":"1","labels":{"alertname":"a}\"]{","node_id":"n"}})";
  EXPECT_EQ(read_alerts(" [ " + one + " ] ")->front().name, "a}\"]{");
  EXPECT_EQ(read_alerts("[]")->size(), 0U);
  const std::string whole = "[" + one + "," + one + "]";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(read_alerts(whole.substr(0, i)).has_value()) << i;
    if (i == 0) continue;
    const auto cut = read_alerts(whole.substr(0, i), true);
    ASSERT_TRUE(cut.has_value()) << i;
    EXPECT_EQ(cut->size(), i <= one.size() ? 0U : 1U) << i;  // the second is the same node's
  }
  for (const std::string bad : {"", "{}", "[1]", "[{]", "[{},]", "[{}{}]", "[{\"a\" 1}]", "null"}) {
    EXPECT_FALSE(read_alerts(bad).has_value()) << bad;
  }
}

TEST(Alerts, ASignalBetweenRulesIsNoAlertForPeople) {
  const auto alerts = read_alerts(
      R"([{"fingerprint":"1","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"NodeAlertsHeld",)"
      R"("severity":"info"},"status":{"state":"active"}},)"
      R"({"fingerprint":"2","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"B"},)"
      R"("status":{"state":"active"}}])");
  ASSERT_EQ(alerts->size(), 1U);
  EXPECT_EQ((*alerts)[0].name, "B");
}

TEST(Alerts, OneThatAnotherExplainsIsNotSilencedByAPerson) {
  const auto alerts = read_alerts(
      R"([{"fingerprint":"1","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"A"},)"
      R"("status":{"state":"suppressed","inhibitedBy":["2"],"silencedBy":[]}},)"
      R"({"fingerprint":"2","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"B"},)"
      R"("status":{"state":"suppressed","inhibitedBy":[],"silencedBy":["x"]}}])");
  ASSERT_TRUE(alerts.has_value());
  EXPECT_TRUE((*alerts)[0].is_inhibited);
  EXPECT_FALSE((*alerts)[0].is_silenced);
  EXPECT_TRUE((*alerts)[1].is_silenced);
}

class WithCustomers : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) -> Result<bool> {
      for (const auto& id : {kA, kB}) {
        auto done = customers::insert_customer(
            customers::CustomerRow{id, "Name of " + id.text(), true, "hot-0", {}, 5, 5}, c);
        if (!done) return done;
      }
      tokens::TokenRow token;
      token.id = "t";
      token.customer = kA;
      token.scope = "ingest";
      token.token_sha256 = std::string(64, 'a');
      auto inserted = tokens::insert_token(token, c);
      if (!inserted) return forward(inserted);
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

TEST_F(WithCustomers, OverviewShowsACustomerOnlyItself) {
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
TEST_F(WithCustomers, WhetherTheCollectorIsReachedIsToldByTheFreshestTruth) {
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

TEST_F(WithCustomers, WhileOurCollectorIsAwayNobodyIsSaidToReachIt) {
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

TEST_F(WithCustomers, AnOldCpuValueIsNotShownAsThePresentOne) {
  LiveState live = looked({});
  auto& node = live.nodes[NodeKey(kA, kWeb)];
  node.pushed_ms = kNow;
  node.cpu_percent = 12.5;
  node.sample_ms = kNow - kUsageAgeMaxMs - 1;
  EXPECT_TRUE(
      overview(kA, live)["customers"].items()[0]["nodes"].items()[1]["cpu_percent"].is_null());
}

// C-A4: the worst alert that an operator can have is one without a customer.
TEST_F(WithCustomers, TheProvidersOwnAlertsCount) {
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

TEST_F(WithCustomers, AlertsThatAreLeftOutCountAndWhoseAreNotKnownIsTold) {
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
TEST_F(WithCustomers, OurOwnPartsThatAreAwayAreNamed) {
  LiveState live = looked({});
  EXPECT_TRUE(overview(kA, live)["away"].items().empty());
  live.away = {OwnPart::kCollector, OwnPart::kHot, OwnPart::kStorage};
  const auto document = overview(kA, live);
  EXPECT_EQ(document["warnings"].items().size(), 3U);
  ASSERT_EQ(document["away"].items().size(), 3U);
  EXPECT_EQ(document["away"].items()[0].text(), "collector");
  EXPECT_EQ(document["away"].items()[1].text(), "hot");
}

TEST_F(WithCustomers, WithoutALiveStateNothingIsCalledUpOrDown) {
  LiveState live = looked({}, kNow - kLiveStateAgeMaxMs - 1);
  live.alerts_ms = kNow;
  live.router_problem = "router: connection refused at 127.0.0.1";
  live.nodes[NodeKey(kA, kWeb)].pushed_ms = kNow;
  const auto document = overview(kA, live);
  EXPECT_EQ(document["customers"].items()[0]["nodes_unknown"].integer(), 2);
  ASSERT_EQ(document["warnings"].items().size(), 1U);
  EXPECT_EQ(document["warnings"].items()[0].text()->find("127.0.0.1"), std::string::npos);
}

TEST_F(WithCustomers, WhyACustomerIsNotLookedAtIsSaidOfItAlone) {
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

TEST_F(WithCustomers, SnapshotHoldsHashesAndDropsADisabledCustomersTokens) {
  const auto snapshot = [&] {
    return *json::parse_json(
        tenancy::with_operator(*(*database_).read([](store::DatabaseConnection& c) {
          return internal_port::write_snapshot(c);
        }),
                               std::string(64, 'f')));
  };
  auto document = snapshot();
  ASSERT_EQ(document["customers"].items().size(), 2U);
  const auto& first = document["customers"].items()[0];
  EXPECT_EQ(first["hot_shard"].text(), "hot-0");
  ASSERT_EQ(first["tokens"].items().size(), 1U);
  EXPECT_EQ(first["tokens"].items()[0]["token_sha256"].text(), std::string(64, 'a'));
  EXPECT_EQ(document["operators"].items()[0]["token_sha256"].text(), std::string(64, 'f'));
  ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) {
    return customers::change_customer({{.id = kA, .is_enabled = false}, {"is_enabled"}}, c);
  }));
  document = snapshot();
  EXPECT_TRUE(document["customers"].items()[0]["tokens"].items().empty());
}

TEST_F(WithCustomers, TargetsPointAtTheMonitorWhichAsksTheNode) {
  const auto targets = [&](const std::string& shard) {
    return *(*database_).read([&](store::DatabaseConnection& c) {
      return internal_port::write_targets(shard, "127.0.0.1:8190", c);
    });
  };
  EXPECT_TRUE(json::parse_json(targets("hot-1").document)->items().empty());
  EXPECT_EQ(targets("hot-1").scraped.size(), 1U) << "of every shard";
  const auto at_first = targets("hot-0");
  const auto document = *json::parse_json(at_first.document);
  ASSERT_EQ(document.items().size(), 2U);
  const auto& scraped = document.items()[0];
  const auto id = *NodeId::parse(*scraped["labels"]["node_id"].text());
  const auto customer = *CustomerId::parse(*scraped["labels"]["customer_id"].text());
  EXPECT_EQ(scraped["targets"].items()[0].text(), "127.0.0.1:8190");
  EXPECT_EQ(scraped["labels"]["__metrics_path__"].text(),
            "/nodes/" + customer.text() + "/" + id.text() + "/scrape");
  EXPECT_EQ(scraped["labels"]["reach"].text(), "scrape");
  ASSERT_EQ(at_first.scraped.size(), 1U) << "one that pushes is not asked";
  EXPECT_EQ(at_first.scraped[0].id, id);
  EXPECT_EQ(at_first.scraped[0].address, "10.0.0.7:8080");
  // Not the address: a node that moves goes on as the same series.
  EXPECT_EQ(scraped["labels"]["instance"].text(), scraped["labels"]["node_id"].text());
  const auto& pushed = document.items()[1];
  EXPECT_EQ(pushed["targets"].items()[0].text(), "127.0.0.1:8190");
  EXPECT_EQ(pushed["labels"]["__metrics_path__"].text(), "/nodes/cliente-a/prod-web-01/health");
  EXPECT_EQ(pushed["labels"]["instance"].text(), "prod-web-01");
  const auto listed = (*database_).read(internal_port::list_scraped_nodes);
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().id, id);
}

}  // namespace
}  // namespace vigia::monitor::live
