#include "services/router/stores/stores.hpp"

#include <array>

#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::stores {
namespace {

/// Nobody listens at any of them: only what the router itself knows is looked at.
class StoresTest : public ::testing::Test {
 protected:
  static StoresSettings settings_of(std::size_t shards, bool has_long_term) {
    StoresSettings settings;
    for (std::size_t i = 0; i < shards; ++i) {
      settings.hot_shards.push_back({"hot-" + std::to_string(i), "http://127.0.0.1:9"});
    }
    if (has_long_term) settings.query_url = settings.cold_url = "http://127.0.0.1:9";
    return settings;
  }

  struct Seen {
    explicit Seen(StoresSettings chosen) : settings(std::move(chosen)) {}
    ~Seen() { client->close(); }
    Seen(const Seen&) = delete;
    Seen& operator=(const Seen&) = delete;

    const StoresSettings settings;
    const SystemClock clock;
    service::MetricRegistry metrics;
    const std::unique_ptr<net::Client> client = net::Client::create({});
    Stores stores{settings, {*client, *client}, metrics, clock};
  };

  static access::Caller customer(const std::string& shard) {
    access::Caller caller;
    caller.customer = *CustomerId::parse("acme");
    caller.hot_shard = shard;
    return caller;
  }
};

TEST_F(StoresTest, ACustomersDataLiesInItsShard) {
  const Seen two(settings_of(2, false));
  EXPECT_EQ(two.stores.shard_of(customer("hot-1")), 1U);
  EXPECT_EQ(two.stores.shard_of(customer("hot-7")), std::nullopt);
  EXPECT_EQ(two.stores.shard_of(customer("")), std::nullopt);
  ASSERT_EQ(two.stores.hot_of(customer("hot-1")).size(), 1U);
  EXPECT_EQ(two.stores.hot_of(customer("hot-1"))[0]->name(), "hot-1");
  EXPECT_TRUE(two.stores.hot_of(customer("hot-7")).empty()) << "another shard has other customers";
}

TEST_F(StoresTest, OfAPairEachCustomerAlwaysAsksTheSameMemberFirst) {
  // They answer: one that is found not to is asked last.
  const testing::RecordingStore one(200, "{}");
  const testing::RecordingStore other(200, "{}");
  StoresSettings settings = settings_of(2, false);
  settings.hot_shards[0].url = settings.hot_shards[1].url = one.url();
  settings.hot_shards[1].other_url = other.url();
  const Seen seen(std::move(settings));
  std::array<std::size_t, 3> first{};
  for (int i = 0; i < 100; ++i) {
    access::Caller caller = customer("hot-1");
    caller.customer = *CustomerId::parse("customer-" + std::to_string(i));
    const auto members = seen.stores.members_of(1, caller);
    ASSERT_EQ(members.size(), 2U);
    EXPECT_EQ(members[0].number + members[1].number, 3U) << "the second and the third of all";
    EXPECT_EQ(members[0].number, seen.stores.members_of(1, caller)[0].number);
    ++first.at(members[0].number);
  }
  EXPECT_GT(first[1], 30U);
  EXPECT_GT(first[2], 30U);
}

TEST_F(StoresTest, MembersOfAPairAreStoresOfTheirOwn) {
  StoresSettings settings = settings_of(2, false);
  settings.hot_shards[1].other_url = "http://127.0.0.1:19";
  const Seen seen(std::move(settings));
  EXPECT_EQ(seen.stores.hot().size(), 3U);
  EXPECT_EQ(seen.stores.hot()[2].name(), "hot-1-b");
  EXPECT_EQ(seen.stores.shards().size(), 2U);
  EXPECT_EQ(seen.stores.members_beside(1), std::vector<std::size_t>{0});
  EXPECT_EQ(seen.stores.members_beside(std::nullopt), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(seen.stores.watch().stores()[1].name, "hot-1-a");
}

// The places of libs/tenancy/hot_shards_test.cpp.
TEST_F(StoresTest, ACustomerOfSeveralShardsHasEachNodeInOne) {
  const Seen seen(settings_of(3, true));
  access::Caller caller = customer("hot-0");
  caller.hot_shards = {"hot-0", "hot-1"};
  EXPECT_EQ(seen.stores.shard_of(caller), std::nullopt) << "no one has all";
  EXPECT_EQ(seen.stores.shard_of_node(caller, "prod-web-0"), 0U);
  EXPECT_EQ(seen.stores.shard_of_node(caller, "prod-web-1"), 1U);
  const auto hot = seen.stores.hot_of(caller);
  ASSERT_EQ(hot.size(), 2U);
  EXPECT_EQ(hot[1]->name(), "hot-1");
  caller.hot_shards = {"hot-0", "hot-9"};
  EXPECT_EQ(seen.stores.hot_of(caller).size(), 1U)
      << "of the other the configuration knows nothing";
}

TEST_F(StoresTest, AnOperatorSeesEveryShardAndOneOnlyWhereThereIsOne) {
  const Seen one(settings_of(1, false));
  EXPECT_EQ(one.stores.shard_of({}), 0U);
  EXPECT_EQ(one.stores.hot_of({}).size(), 1U);
  const Seen two(settings_of(2, false));
  EXPECT_EQ(two.stores.shard_of({}), std::nullopt);
  EXPECT_EQ(two.stores.hot_of({}).size(), 2U);
}

TEST_F(StoresTest, WhatIsNotConfiguredIsNotThere) {
  const Seen hot(settings_of(1, false));
  EXPECT_EQ(hot.stores.query(), nullptr);
  EXPECT_EQ(hot.stores.cold(), nullptr);
  EXPECT_EQ(hot.stores.watch().stores().size(), 1U);
  EXPECT_EQ(hot.stores.cold_gaps(), "");
  const Seen all(settings_of(2, true));
  ASSERT_NE(all.stores.query(), nullptr);
  ASSERT_NE(all.stores.cold(), nullptr);
  const auto& watched = all.stores.watch().stores();
  ASSERT_EQ(watched.size(), 4U);
  EXPECT_EQ(watched[1].name, "hot-1");
  EXPECT_EQ(watched[2].name, "query");
  EXPECT_EQ(watched[3].name, "cold");
  EXPECT_FALSE(watched[3].has_flags) << "storage is no Prometheus";
}

TEST_F(StoresTest, NothingIsCoveredBeforeAStoreHasAnswered) {
  Seen all(settings_of(1, true));
  EXPECT_FALSE(all.stores.covered(0, customer("hot-0")).from.has_value());
  EXPECT_FALSE(all.stores.cold_replacement().has_value());
  EXPECT_EQ(all.stores.coverage().dialect(), promql::Dialect::kPrometheus2);
  EXPECT_EQ(all.stores.language(), promql::Language(promql::Dialect::kPrometheus2));
}

}  // namespace
}  // namespace vigia::router::stores
