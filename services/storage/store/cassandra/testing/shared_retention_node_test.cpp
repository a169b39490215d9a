// Instances that keep things for different times: what each of them knows of it, and what stays.
#include <future>

#include <gtest/gtest.h>

#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"
#include "services/storage/store/cassandra/testing/kept_by.hpp"
#include "services/storage/store/cassandra/testing/node_fixture.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using std::chrono::hours;

constexpr std::uint64_t kFirst = 1 * InstanceLease::kNumbers;
constexpr std::uint64_t kSecond = 2 * InstanceLease::kNumbers;
constexpr TimestampMs kNow = 20'000 * kDayMs;

Duration days(int count) { return hours(24 * count); }
TimestampMs days_before(int count) { return kNow - count * kDayMs; }
KeptByKind kept(Duration raw, Duration logs) {
  return {{kind_of(Resolution::kRaw), raw}, {"logs", logs}};
}

/// What an instance keeps, and what it knows of the others.
struct Keeping {
  Keeping(SharedKeyspace& keyspace, const Clock& clock, std::uint64_t number, KeptByKind all)
      : kept(std::move(all)),
        keeps({}, {}, clock),
        shared(*keyspace.session, clock, number, keeps) {
    keeps.use(&kept);
    Preparation preparation(*keyspace.session, keyspace.settings.keyspace);
    EXPECT_TRUE(shared.prepare(preparation).has_value());
  }
  SharedRetention* operator->() { return &shared; }

  KeptBy kept;
  KeepTimes keeps;
  SharedRetention shared;
};

class SharedRetentionTest : public ::testing::Test {
 protected:
  Keeping open(std::uint64_t number, KeptByKind all) {
    return {shared_, clock_, number, std::move(all)};
  }
  void look(std::initializer_list<Keeping*> all) {
    for (int round = 0; round < 2; ++round) {
      clock_.advance(std::chrono::minutes(1));
      for (Keeping* const one : all) one->shared.look();
    }
  }

  SharedKeyspace& shared_ = empty_keyspace();
  ManualClock clock_{kNow * 1'000'000};
  const std::string raw_ = kind_of(Resolution::kRaw);
  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
};

TEST_F(SharedRetentionTest, WhoKeepsForLessRemovesNothingThatAnotherKeeps) {
  auto shorter = open(kFirst, kept(days(30), days(7)));
  EXPECT_EQ(shorter->held_back(raw_, days_before(30)), 0) << "it may be kept by somebody";
  shorter->look();
  EXPECT_EQ(shorter->held_back(raw_, days_before(30)), days_before(30));
  EXPECT_FALSE(shorter->differs());
  auto longer = open(kSecond, kept(days(90), days(7)));
  look({&shorter, &longer});
  EXPECT_TRUE(shorter->differs());
  EXPECT_TRUE(longer->differs());
  EXPECT_EQ(shorter->held_back(raw_, days_before(30)), days_before(90));
  EXPECT_EQ(shorter->held_back("index", days_before(32)), days_before(92));
  EXPECT_EQ(shorter->held_back("logs", days_before(7)), days_before(7));
  EXPECT_EQ(longer->held_back(raw_, days_before(90)), days_before(90));
}

TEST_F(SharedRetentionTest, WhatSomebodyKeepsForEverNobodyRemoves) {
  auto first = open(kFirst, kept(days(30), days(7)));
  auto second = open(kSecond, kept(days(90), days(0)));
  look({&first, &second});
  EXPECT_EQ(first->held_back("logs", days_before(7)), 0);
  EXPECT_EQ(second->held_back("logs", 0), 0);
}

TEST_F(SharedRetentionTest, AFurtherNumberOfOnesOwnIsNoOther) {
  auto before = open(kFirst + 1, kept(days(90), days(7)));
  auto now = open(kFirst, kept(days(30), days(7)));
  look({&before, &now});
  EXPECT_FALSE(now->differs());
  EXPECT_EQ(now->held_back(raw_, days_before(30)), days_before(30));
}

TEST_F(SharedRetentionTest, WhatAnotherKeepsLongerOfACustomerStays) {
  auto first = open(kFirst, kept(days(30), days(7)));
  auto second = open(kSecond, kept(days(30), days(7)));
  first.kept.set(a_, kept(days(10), days(7)));
  second.kept.set(a_, kept(days(90), days(7)));
  second.kept.set(b_, kept(days(40), days(0)));
  look({&first, &second});
  EXPECT_TRUE(first->differs());
  EXPECT_EQ(first->held_back(a_, raw_, days_before(10)), days_before(90));
  EXPECT_EQ(first->held_back(a_, "index", days_before(12)), days_before(92));
  EXPECT_EQ(first->held_back(a_, "exemplars", days_before(10)), days_before(90));
  EXPECT_EQ(first->held_back(a_, "logs", days_before(7)), days_before(7));
  EXPECT_EQ(first->held_back(b_, raw_, days_before(30)), days_before(40)) << "he has a class there";
  EXPECT_EQ(first->held_back(b_, "logs", days_before(7)), 0);
  EXPECT_EQ(first->held_back(raw_, days_before(30)), days_before(30));
  EXPECT_EQ(second->held_back(a_, raw_, days_before(90)), days_before(90));
  std::set<std::string> named;
  first->add_customers(named);
  EXPECT_EQ(named, (std::set<std::string>{"cliente-a", "cliente-b"}));
  // The same file for both.
  first.kept.set(a_, kept(days(90), days(7)));
  first.kept.set(b_, kept(days(40), days(0)));
  look({&first, &second});
  EXPECT_FALSE(first->differs());
  EXPECT_FALSE(second->differs());
  second.kept.let_go(a_);
  second.kept.let_go(b_);
  look({&first, &second});
  EXPECT_TRUE(second->differs());
  EXPECT_EQ(second->held_back(b_, "logs", days_before(7)), 0) << "the other one has him yet";
}

// More than one look takes: what counts is what was there before, until all are there.
TEST_F(SharedRetentionTest, ThousandsOfCustomersAreNotedSomeAtATime) {
  auto first = open(kFirst, kept(days(30), days(7)));
  auto second = open(kSecond, kept(days(30), days(7)));
  for (int i = 0; i < 1'200; ++i) {
    second.kept.set(CustomerId::parse("c" + std::to_string(i)).value(), kept(days(90), days(7)));
  }
  const CustomerId one = CustomerId::parse("c7").value();
  clock_.advance(std::chrono::minutes(1));
  second->look();
  first->look();
  EXPECT_EQ(first->held_back(one, raw_, days_before(30)), days_before(30));
  second->look();
  second->look();
  clock_.advance(std::chrono::minutes(1));
  first->look();
  EXPECT_EQ(first->held_back(one, raw_, days_before(30)), days_before(90));
}

TEST_F(SharedRetentionTest, AnExpiryOfTheShorterOneLeavesWhatTheOtherReads) {
  auto shorter = open(kFirst, kept(days(30), days(7)));
  auto longer = open(kSecond, kept(days(90), days(7)));
  look({&shorter, &longer});
  ColdStoreSettings settings;
  settings.keyspace = shared_.settings.keyspace;
  settings.classes.fill(retention_classes().back());
  auto store = CassandraColdStore::open(*shared_.session, settings, clock_).value();
  const auto other = CassandraColdStore::open(*shared_.session, settings, clock_).value();
  const CustomerId customer = a_;
  const auto find = [&](CassandraColdStore& by) {
    const std::vector<SeriesKey> asked = {{"m", {7}}};
    return by.chunks().read(customer, asked, {0, INT64_MAX})->next().value().size();
  };
  ClosedChunk chunk;
  chunk.metric = "m";
  chunk.row = {{7}, days_before(60), days_before(60) + 9, kInOrder, Encoding::kFloats, "data"};
  std::promise<Result<void>> told;
  store->chunks().put(customer, {&chunk, 1}, [&](Result<void> put) { told.set_value(put); });
  ASSERT_TRUE(told.get_future().get());
  store->use_shared(&shorter.shared);
  ASSERT_TRUE(store->chunks().expire(Resolution::kRaw, days_before(30)));
  clock_.advance(std::chrono::minutes(2));  // what has expired is looked up again
  EXPECT_EQ(find(*other), 1U);
  store->use_shared(nullptr);
  ASSERT_TRUE(store->chunks().expire(Resolution::kRaw, days_before(30)));
  EXPECT_EQ(find(*other), 0U);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
