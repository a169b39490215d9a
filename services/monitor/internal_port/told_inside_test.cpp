// What is told on the inside port of two customers, as collector, router and Prometheus read it.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/tenancy/directory_document.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/internal_port/node_targets.hpp"
#include "services/monitor/internal_port/snapshot.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::internal_port {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");
const NodeId kWeb = *NodeId::parse("prod-web-01");

nodes::NodeRow pushed_node(const NodeId& id) {
  return nodes::NodeRow{kA, id, "us-east-1", "production", "", true, 5, 0, 0};
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
  store::ScratchDatabase database_;
};

TEST_F(WithCustomers, SnapshotHoldsHashesAndDropsADisabledCustomersTokens) {
  const auto snapshot = [&] {
    return *json::parse_json(tenancy::with_operator(
        *(*database_).read([](store::DatabaseConnection& c) { return write_snapshot(c); }),
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
      return write_targets(shard, "127.0.0.1:8190", c);
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
  const auto listed = (*database_).read(list_scraped_nodes);
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().id, id);
}

// Each node in the one that its series lie in, and in no other.
TEST_F(WithCustomers, ASplitCustomersNodesAreEachInOneShard) {
  const std::vector<std::string> shards = {"hot-0", "hot-1", "hot-2"};
  ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) -> Result<bool> {
    for (int i = 0; i < 30; ++i) {
      auto made = nodes::register_node(pushed_node(*NodeId::parse(fmt::format("node-{}", i))), c);
      if (!made) return forward(made);
    }
    return customers::change_customer({{.id = kA, .hot_shards = shards}, {"hot_shards"}}, c);
  }));
  std::map<std::string, std::set<std::string>> found;
  for (const auto& shard : shards) {
    const auto targets = *(*database_).read([&](store::DatabaseConnection& c) {
      return write_targets(shard, "127.0.0.1:8190", c);
    });
    const auto document = *json::parse_json(targets.document);
    for (const auto& target : document.items()) {
      const auto node = *target["labels"]["node_id"].text();
      EXPECT_EQ(shards[tenancy::shard_of_node(shards, node)], shard) << node;
      found[shard].insert(node);
    }
    EXPECT_GE(found[shard].size(), 3U) << shard;
  }
  EXPECT_EQ(found["hot-0"].size() + found["hot-1"].size() + found["hot-2"].size(), 32U);
}

}  // namespace
}  // namespace vigia::monitor::internal_port
