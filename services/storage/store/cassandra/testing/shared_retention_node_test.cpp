// Instances that keep things for different times: what each of them knows of it, and what stays.
#include <future>

#include <gtest/gtest.h>

#include "services/storage/store/cassandra/cassandra_cold_store.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"
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

class SharedRetentionTest : public ::testing::Test {
 protected:
  std::unique_ptr<SharedRetention> open(std::uint64_t number, KeptByKind own) {
    auto made = std::make_unique<SharedRetention>(*shared_.session, clock_, number, std::move(own));
    Preparation preparation(*shared_.session, shared_.settings.keyspace);
    EXPECT_TRUE(made->prepare(preparation).has_value());
    return made;
  }
  void look(std::initializer_list<SharedRetention*> all) {
    for (int round = 0; round < 2; ++round) {
      clock_.advance(std::chrono::minutes(1));
      for (SharedRetention* const one : all) one->look();
    }
  }

  SharedKeyspace& shared_ = empty_keyspace();
  ManualClock clock_{kNow * 1'000'000};
  const std::string raw_ = kind_of(Resolution::kRaw);
};

TEST_F(SharedRetentionTest, WhoKeepsForLessRemovesNothingThatAnotherKeeps) {
  const auto shorter = open(kFirst, kept(days(30), days(7)));
  EXPECT_EQ(shorter->held_back(raw_, days_before(30)), 0) << "it may be kept by somebody";
  shorter->look();
  EXPECT_EQ(shorter->held_back(raw_, days_before(30)), days_before(30));
  EXPECT_FALSE(shorter->differs());
  const auto longer = open(kSecond, kept(days(90), days(7)));
  look({shorter.get(), longer.get()});
  EXPECT_TRUE(shorter->differs());
  EXPECT_TRUE(longer->differs());
  EXPECT_EQ(shorter->held_back(raw_, days_before(30)), days_before(90));
  EXPECT_EQ(shorter->held_back("index", days_before(32)), days_before(92));
  EXPECT_EQ(shorter->held_back("logs", days_before(7)), days_before(7));
  EXPECT_EQ(longer->held_back(raw_, days_before(90)), days_before(90));
}

TEST_F(SharedRetentionTest, WhatSomebodyKeepsForEverNobodyRemoves) {
  const auto first = open(kFirst, kept(days(30), days(7)));
  const auto second = open(kSecond, kept(days(90), days(0)));
  look({first.get(), second.get()});
  EXPECT_EQ(first->held_back("logs", days_before(7)), 0);
  EXPECT_EQ(second->held_back("logs", 0), 0);
}

TEST_F(SharedRetentionTest, AFurtherNumberOfOnesOwnIsNoOther) {
  const auto before = open(kFirst + 1, kept(days(90), days(7)));
  const auto now = open(kFirst, kept(days(30), days(7)));
  look({before.get(), now.get()});
  EXPECT_FALSE(now->differs());
  EXPECT_EQ(now->held_back(raw_, days_before(30)), days_before(30));
}

TEST_F(SharedRetentionTest, AnExpiryOfTheShorterOneLeavesWhatTheOtherReads) {
  const auto shorter = open(kFirst, kept(days(30), days(7)));
  const auto longer = open(kSecond, kept(days(90), days(7)));
  look({shorter.get(), longer.get()});
  ColdStoreSettings settings;
  settings.keyspace = shared_.settings.keyspace;
  settings.classes.fill(retention_classes().back());
  auto store = CassandraColdStore::open(*shared_.session, settings, clock_).value();
  const auto other = CassandraColdStore::open(*shared_.session, settings, clock_).value();
  const CustomerId customer = CustomerId::parse("cliente-a").value();
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
  store->use_shared(shorter.get());
  ASSERT_TRUE(store->chunks().expire(Resolution::kRaw, days_before(30)));
  clock_.advance(std::chrono::minutes(2));  // what has expired is looked up again
  EXPECT_EQ(find(*other), 1U);
  store->use_shared(nullptr);
  ASSERT_TRUE(store->chunks().expire(Resolution::kRaw, days_before(30)));
  EXPECT_EQ(find(*other), 0U);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
