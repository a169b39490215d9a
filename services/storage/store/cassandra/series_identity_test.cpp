#include "services/storage/store/cassandra/series_identity.hpp"

#include <gtest/gtest.h>

#include "services/storage/store/cassandra/metric_memory.hpp"

namespace vigia::storage::store::cassandra {
namespace {

const CustomerId kA = CustomerId::parse("cliente-a").value();
const CustomerId kB = CustomerId::parse("cliente-b").value();
const std::string kSecret = "sixteen bytes, 1";

TEST(SeriesIdentity, FollowsFromCustomerLabelsAndChoice) {
  const SeriesIdentity one = identity_of(kA, "labels", 0, kSecret);
  EXPECT_EQ(identity_of(kA, "labels", 0, kSecret).id, one.id);
  EXPECT_NE(identity_of(kB, "labels", 0, kSecret).id, one.id);
  EXPECT_NE(identity_of(kA, "others", 0, kSecret).id, one.id);
  const SeriesIdentity next = identity_of(kA, "labels", 1, kSecret);
  EXPECT_NE(next.id, one.id);
  EXPECT_EQ(next.fingerprint, one.fingerprint) << "of whatever choice it is the same series";
  EXPECT_NE(identity_of(kB, "labels", 0, kSecret).fingerprint, one.fingerprint);
  EXPECT_EQ(one.fingerprint.size(), 16U);
  const SeriesIdentity elsewhere = identity_of(kA, "labels", 0, "sixteen bytes, 2");
  EXPECT_NE(elsewhere.id, one.id);
  EXPECT_NE(elsewhere.fingerprint, one.fingerprint);
  EXPECT_LT(one.id.value, std::uint64_t{1} << 63U);
}

// Ids are in clusters for good: another hash would give each series a second one.
TEST(SeriesIdentity, IsAsItWas) {
  EXPECT_EQ(identity_of(kA, "labels", 0, kSecret).id.value, 7'038'724'443'087'834'046U);
}

TEST(Shard, EachLayoutHoldsEachSeriesOnceInTheOrderOfIds) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 63U) - 1;
  for (const std::uint64_t id : {std::uint64_t{1}, kMost / 3, kMost / 2, kMost / 2 + 1, kMost}) {
    EXPECT_EQ(shard_of({id}, 1).number, 1);
    for (std::int32_t parts = 1; parts <= 16; parts *= 2) {
      const Shard shard = shard_of({id}, parts);
      EXPECT_EQ(parts_of(shard), parts);
      int held = 0;
      for (std::int32_t number = parts; number < 2 * parts; ++number) {
        held += holds({number}, {id}) ? 1 : 0;
      }
      EXPECT_EQ(held, 1);
      EXPECT_TRUE(holds(shard, {id}));
    }
  }
  EXPECT_LT(shard_of({kMost / 2}, 2), shard_of({kMost / 2 + 1}, 2));
  EXPECT_EQ(shard_of({kMost}, kPartsMax).number, 2 * kPartsMax - 1);
}

TEST(SeriesIdentity, OfTwoDaysTheWriteTimesKeepTheLaterLastAndTheEarlierFirst) {
  EXPECT_LT(last_day_time(7), last_day_time(8));
  EXPECT_GT(first_day_time(7), first_day_time(8));
  // A deletion of what ended before day 8 has the time 8.
  EXPECT_LE(last_day_time(7), 8);
  EXPECT_GT(last_day_time(8), 8);
  EXPECT_GT(first_day_time(UINT32_MAX), last_day_time(3'000'000)) << "no cut deletes a first day";
}

TEST(SeriesIdentity, OnlyTextsThatNoKeyTakesAreMade) {
  EXPECT_EQ(key_text("up"), "up");
  const std::string longest(kKeyTextMax, 'a');
  EXPECT_EQ(key_text(longest), longest);
  const std::string made = key_text(longest + "a");
  EXPECT_TRUE(is_made_text(made));
  EXPECT_LT(made.size(), 64U);
  EXPECT_NE(key_text(longest + "b"), made);
  EXPECT_EQ(key_text(made), made);
}

TEST(MetricMemory, ForgetsWhatTheCustomerHasWhoHoldsMost) {
  MetricMemory memory(20'000);
  memory.insert(1, {1}, "up");
  for (std::uint64_t id = 100; id < 2'000; ++id) memory.insert(2, {id}, "down");
  EXPECT_LE(memory.memory_bytes(), 20'000U);
  EXPECT_EQ(memory.find(1, {1}), "up");
  EXPECT_EQ(memory.find(2, {1'999}), "down");
  EXPECT_FALSE(memory.find(2, {100}));
  EXPECT_FALSE(memory.find(2, {1})) << "it is another customer's";
  memory.forget({1});
  EXPECT_FALSE(memory.find(1, {1}));
}

TEST(MetricMemory, IsBoundedWhateverTheMetricsAre) {
  MetricMemory memory(20'000);
  for (std::uint64_t id = 0; id < 2'000; ++id) {
    memory.insert(1, {id}, "metric_" + std::to_string(id));
    EXPECT_LE(memory.memory_bytes(), 20'400U);
  }
  memory.set_bytes_max(1'000);
  EXPECT_LE(memory.memory_bytes(), 1'000U);
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
