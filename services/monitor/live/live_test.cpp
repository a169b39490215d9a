#include <gtest/gtest.h>

#include "services/monitor/inside/node_targets.hpp"
#include "services/monitor/inside/snapshot.hpp"
#include "services/monitor/json/json.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/live/alerts.hpp"
#include "services/monitor/live/live_queries.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/live/node_metrics.hpp"
#include "services/monitor/live/overview.hpp"
#include "services/monitor/store/scratch_database.hpp"
#include "services/monitor/store/tokens.hpp"

namespace vigia::monitor {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");
const NodeId kWeb = *NodeId::parse("prod-web-01");
constexpr std::int64_t kNow = 1'795'575'845'000;

VectorSample sample(const std::string& name, const std::string& node, double value) {
  return VectorSample{
      Labels::from({{"__name__", name}, {"customer_id", "cliente-a"}, {"node_id", node}}), value};
}

Node pushed_node(const NodeId& id) {
  return Node{kA, id, "us-east-1", "production", "", true, kNow, 0, 0};
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

TEST(LiveState, PushedNodesGoDownByAgeScrapedOnesByUp) {
  std::map<NodeKey, NodeLive> nodes;
  add_health(nodes, {sample("agent_uptime_seconds", "prod-web-01", 60)});
  add_health_times(nodes, {sample("agent_uptime_seconds", "prod-web-01", kNow / 1000.0)});
  const auto* live = &nodes.at(NodeKey(kA, kWeb));
  const auto pushed = pushed_node(kWeb);
  EXPECT_EQ(node_status(pushed, live, kNow + kPushedHealthAgeMaxMs), NodeStatus::kUp);
  EXPECT_EQ(node_status(pushed, live, kNow + kPushedHealthAgeMaxMs + 1), NodeStatus::kDown);
  EXPECT_EQ(node_status(pushed, nullptr, kNow), NodeStatus::kUnknown);
  auto scraped = pushed;
  scraped.address = "10.0.0.1:8080";
  EXPECT_EQ(node_status(scraped, live, kNow), NodeStatus::kUnknown);
  add_up(nodes, {sample("up", "prod-web-01", 0)});
  EXPECT_EQ(node_status(scraped, live, kNow), NodeStatus::kDown);
  add_up(nodes, {sample("up", "prod-web-01", 1)});
  EXPECT_EQ(node_status(scraped, live, kNow), NodeStatus::kUp);
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
  std::vector<Node> known;
  for (std::size_t i = 0; i < kNodesPerCustomerMax; ++i) {
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
  Node node = pushed_node(kWeb);
  node.last_seen_ms = kNow - kSeenEveryMs + 1;
  EXPECT_TRUE(nodes_to_keep(state, {node}).empty());
  node.last_seen_ms = kNow - kSeenEveryMs;
  EXPECT_EQ(nodes_to_keep(state, {node}).size(), 1U);
}

TEST(LiveState, QueriesBoundWhatOneCustomerAddsToTheAnswer) {
  for (const LiveQuery& query : live_queries()) {
    if (query.text.starts_with("up{")) continue;  // not a customer's to make
    EXPECT_TRUE(
        query.text.starts_with("topk by (customer_id) (60000, max by (customer_id, node_id"))
        << query.text;
    EXPECT_NE(query.text.find("node_id=~\".{0,128}\""), std::string::npos) << query.text;
  }
}

TEST(NodeHealth, IsTextForPrometheusAndJsonForPeople) {
  NodeLive live;
  live.pushed_ms = kNow;
  live.health = {{"agent_buffer_usage_percent", 25},
                 {"agent_collector_reachable", 1},
                 {"agent_uptime_seconds", 259'200}};
  const auto text = node_health(&live, "application/openmetrics-text;version=1.0.0,*/*", kNow);
  EXPECT_EQ(text.status, 200);
  EXPECT_NE(text.body.find("agent_buffer_usage_percent 25\n"), std::string::npos) << text.body;
  const auto json = parse_json(node_health(&live, "*/*", kNow).body);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["status"].text(), "healthy");
  EXPECT_EQ((*json)["buffer_usage"].text(), "25%");
  EXPECT_EQ(node_health(&live, "*/*", kNow + 45'001).status, 503);
  EXPECT_EQ(node_health(nullptr, "*/*", kNow).status, 503);
}

TEST(NodeMetrics, GridsAreAlignedAndHolesAreNull) {
  const auto grid = grid_of("1h", kNow + 7'000);
  ASSERT_TRUE(grid.has_value());
  EXPECT_EQ(grid->step_s, 15);
  EXPECT_EQ(grid->end_s % 15, 0);
  EXPECT_EQ(grid->end_s - grid->start_s, 3600);
  EXPECT_EQ(grid_of("5m", kNow), std::nullopt);
  const TimeGrid small{100, 130, 10};
  const auto values = on_grid(small, {MatrixSeries{{}, {{100, 1.5}, {120, 2.5}, {140, 9}}}});
  ASSERT_EQ(values.size(), 4U);
  EXPECT_EQ(values[0], 1.5);
  EXPECT_EQ(values[1], std::nullopt);
  EXPECT_EQ(values[2], 2.5);
  EXPECT_EQ(values[3], std::nullopt);
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

class WithCustomers : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE((*database_).write([](Connection& c) -> Result<bool> {
      for (const auto& id : {kA, kB}) {
        auto done =
            insert_customer(Customer{id, "Name of " + id.text(), true, "hot-0", 0, 0, 5, 5}, c);
        if (!done) return done;
      }
      Token token;
      token.id = "t";
      token.customer = kA;
      token.scope = "ingest";
      token.token_sha256 = std::string(64, 'a');
      auto inserted = insert_token(token, c);
      if (!inserted) return forward(inserted);
      auto scraped = pushed_node(*NodeId::parse("db-01"));
      scraped.address = "10.0.0.7:8080";
      auto first = register_node(scraped, c);
      if (!first) return first;
      return register_node(pushed_node(kWeb), c);
    }));
  }
  JsonValue overview(const std::optional<CustomerId>& customer, const LiveState& live) {
    auto text =
        (*database_).read([&](Connection& c) { return write_overview(customer, live, kNow, c); });
    EXPECT_TRUE(text.has_value());
    return *parse_json(*text);
  }
  ScratchDatabase database_;
};

TEST_F(WithCustomers, OverviewShowsACustomerOnlyItself) {
  LiveState live;
  live.taken_ms = kNow;
  live.nodes[NodeKey(kA, kWeb)].pushed_ms = kNow;
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

TEST_F(WithCustomers, WithoutALiveStateNothingIsCalledUpOrDown) {
  LiveState live;
  live.taken_ms = kNow;
  live.router_problem = "router: connection refused at 127.0.0.1";
  live.nodes[NodeKey(kA, kWeb)].pushed_ms = kNow;
  const auto document = overview(kA, live);
  EXPECT_EQ(document["customers"].items()[0]["nodes_unknown"].integer(), 2);
  ASSERT_EQ(document["warnings"].items().size(), 1U);
  EXPECT_EQ(document["warnings"].items()[0].text()->find("127.0.0.1"), std::string::npos);
}

TEST_F(WithCustomers, SnapshotHoldsHashesAndDropsADisabledCustomersTokens) {
  const auto snapshot = [&] {
    return *parse_json(
        *(*database_).read([](Connection& c) { return write_snapshot(std::string(64, 'f'), c); }));
  };
  auto document = snapshot();
  ASSERT_EQ(document["customers"].items().size(), 2U);
  const auto& first = document["customers"].items()[0];
  EXPECT_EQ(first["hot_shard"].text(), "hot-0");
  ASSERT_EQ(first["tokens"].items().size(), 1U);
  EXPECT_EQ(first["tokens"].items()[0]["token_sha256"].text(), std::string(64, 'a'));
  EXPECT_EQ(document["operators"].items()[0]["token_sha256"].text(), std::string(64, 'f'));
  ASSERT_TRUE((*database_).write([](Connection& c) {
    return change_customer(kA, {.is_enabled = false}, c);
  }));
  document = snapshot();
  EXPECT_TRUE(document["customers"].items()[0]["tokens"].items().empty());
}

TEST_F(WithCustomers, TargetsPointAtTheNodeOrAtTheMonitor) {
  const SystemClock clock;
  AddressBook addresses({false, true}, clock);
  const auto targets = [&](const std::string& shard) {
    return *parse_json(*(*database_).read([&](Connection& c) {
      return write_targets(shard, "127.0.0.1:8190", addresses, c);
    }));
  };
  EXPECT_TRUE(targets("hot-1").items().empty());
  const auto document = targets("hot-0");
  ASSERT_EQ(document.items().size(), 2U);
  const auto& scraped = document.items()[0];
  EXPECT_EQ(scraped["targets"].items()[0].text(), "10.0.0.7:8080");
  EXPECT_EQ(scraped["labels"]["__metrics_path__"].text(), "/health");
  EXPECT_EQ(scraped["labels"]["reach"].text(), "scrape");
  // Not the address: a node that moves goes on as the same series.
  EXPECT_EQ(scraped["labels"]["instance"].text(), scraped["labels"]["node_id"].text());
  const auto& pushed = document.items()[1];
  EXPECT_EQ(pushed["targets"].items()[0].text(), "127.0.0.1:8190");
  EXPECT_EQ(pushed["labels"]["__metrics_path__"].text(), "/nodes/cliente-a/prod-web-01/health");
  EXPECT_EQ(pushed["labels"]["instance"].text(), "prod-web-01");
}

}  // namespace
}  // namespace vigia::monitor
