#include "services/storage/ingest/metadata_keeper.hpp"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/day_range.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kDay = 20'000;

/// Counts what is put, and can refuse.
class CountedMetadata final : public store::MetadataStore {
 public:
  Result<void> put(const CustomerId& customer,
                   std::span<const store::MetricMetadata> metrics) override {
    if (refused == customer.text()) return fail(ErrorCode::kUnavailable, "made to fail");
    rows += metrics.size();
    return memory.metadata()->put(customer, metrics);
  }
  Result<void> sync() override { return synced; }
  Result<void> read(const CustomerId& customer, std::string_view metric, const Visit& visit,
                    const store::WorkLimit& limit) override {
    ++reads;
    return memory.metadata()->read(customer, metric, visit, limit);
  }
  Result<std::size_t> expire(const store::ExpiryCuts& cuts) override {
    ++expiries;
    return memory.metadata()->expire(cuts);
  }
  std::uint64_t disk_bytes() const override { return 0; }
  std::uint64_t damaged() const override { return 0; }

  store::MemoryColdStore memory;
  std::string refused;
  Result<void> synced;
  std::size_t rows = 0;
  std::size_t reads = 0;
  std::size_t expiries = 0;
};

CustomerId customer(const std::string& name) { return CustomerId::parse(name).value(); }

store::MetricMetadata metric(const std::string& name, const std::string& help) {
  return {name, 1, "s", help, 0};
}

class MetadataKeeperTest : public testing::Test {
 protected:
  MetadataKeeper& keeper() {
    if (!keeper_) {
      keeper_.emplace(store_, clock_, [this] { return day_.load(); }, settings_);
    }
    return *keeper_;
  }
  // As a write does: what is stored is not handed over.
  Result<void> say(const std::string& name, const std::vector<store::MetricMetadata>& metrics) {
    OwnedMetadata owned{customer(name), {}};
    for (const auto& one : metrics) {
      const auto hash = hash_metadata({one.metric, one.type, one.unit, one.help});
      if (!keeper().is_stored(owned.customer, hash)) owned.metrics.push_back(one);
    }
    if (owned.metrics.empty()) return {};
    std::promise<Result<void>> kept;
    keeper().keep({owned}, [&](Result<void> result) { kept.set_value(std::move(result)); });
    return kept.get_future().get();
  }
  // "metric:help@day from kDay".
  std::vector<std::string> stored(const std::string& name) {
    std::vector<std::string> all;
    const auto note = [&](const store::MetricMetadata& one) {
      all.push_back(one.metric + ":" + one.help + "@" + std::to_string(one.day - kDay));
      return true;
    };
    EXPECT_TRUE(store_.memory.metadata()->read(customer(name), "", note, {}).has_value());
    return all;
  }
  void later(Duration by) { clock_.advance(by); }

  ManualClock clock_{0};
  std::atomic<std::uint32_t> day_{kDay};
  MetadataKeeperSettings settings_;
  CountedMetadata store_;
  std::optional<MetadataKeeper> keeper_;
};

TEST_F(MetadataKeeperTest, WhatIsSaidAgainIsNotWrittenAgain) {
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(say("a", {metric("up", "x"), metric("cpu", "y")}));
    later(std::chrono::minutes(1));
  }
  EXPECT_EQ(store_.rows, 2U);
  EXPECT_THAT(stored("a"), ElementsAre("cpu:y@0", "up:x@0"));
  EXPECT_THAT(stored("b"), IsEmpty());
  EXPECT_EQ(keeper().stats().known, 2U);
}

TEST_F(MetadataKeeperTest, WhatChangesIsWrittenAndTheLastWins) {
  EXPECT_TRUE(say("a", {metric("up", "x")}));
  EXPECT_TRUE(say("a", {metric("up", "y")}));
  EXPECT_THAT(stored("a"), ElementsAre("up:y@0"));
  EXPECT_TRUE(say("a", {metric("up", "z"), metric("up", "of one request the last")}));
  EXPECT_THAT(stored("a"), ElementsAre("up:of one request the last@0"));
  EXPECT_EQ(store_.rows, 3U);
}

// Two versions of a program beside each other, each saying its own with each request.
TEST_F(MetadataKeeperTest, APairThatDiffersWritesSomeRowsAMinuteAndTheOneThatStaysWins) {
  for (int i = 0; i < 600; ++i) {
    EXPECT_TRUE(say("a", {metric("up", i % 2 == 0 ? "old" : "new")}));
    later(std::chrono::seconds(1));
  }
  EXPECT_LE(store_.rows, 11U * MetadataMemory::kChangesAMinute);
  EXPECT_GT(keeper().stats().held, 200U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(say("a", {metric("up", "new")}));
    later(std::chrono::minutes(1));
  }
  EXPECT_THAT(stored("a"), ElementsAre("up:new@0"));
}

TEST_F(MetadataKeeperTest, WhatIsStillSaidIsNotedAgainWithinAWeek) {
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(say("a", {metric("m" + std::to_string(i), "x")}));
  }
  std::size_t most = 0;
  for (std::uint32_t day = 1; day <= MetadataMemory::kNotedDaysMax; ++day) {
    day_ = kDay + day;
    later(std::chrono::hours(24));
    const std::size_t before = store_.rows;
    for (int i = 0; i < 40; ++i) {
      EXPECT_TRUE(say("a", {metric("m" + std::to_string(i), "x")}));
    }
    most = std::max(most, store_.rows - before);
  }
  EXPECT_EQ(store_.rows, 80U);
  EXPECT_LT(most, 40U) << "not all of them on one day";
}

// By a clock that ran ahead: it would never go.
TEST_F(MetadataKeeperTest, WhatWasNotedAheadIsNotedAgain) {
  day_ = kDay + 900;
  EXPECT_TRUE(say("a", {metric("up", "x")}));
  day_ = kDay;
  later(std::chrono::minutes(1));
  EXPECT_TRUE(say("a", {metric("up", "x")}));
  EXPECT_THAT(stored("a"), ElementsAre("up:x@0"));
}

TEST_F(MetadataKeeperTest, AStartReadsWhatThereIs) {
  EXPECT_TRUE(say("a", {metric("up", "x")}));
  keeper_.reset();
  EXPECT_TRUE(say("a", {metric("up", "x")}));
  EXPECT_EQ(store_.rows, 1U);
}

TEST_F(MetadataKeeperTest, WhatIsGoneFromTheStoreComesBackWithinAnHour) {
  EXPECT_TRUE(say("a", {metric("up", "x"), metric("cpu", "y")}));
  ASSERT_EQ(store_.memory.metadata()->expire((kDay + 1) * store::kDayMs).value(), 2U);
  for (int minute = 0; minute <= 60; ++minute) {
    EXPECT_TRUE(say("a", {metric("up", "x"), metric("cpu", "y")}));
    later(std::chrono::minutes(1));
  }
  EXPECT_THAT(stored("a"), ElementsAre("cpu:y@0", "up:x@0"));
  EXPECT_LE(store_.reads, 3U);
}

TEST_F(MetadataKeeperTest, OneCustomerHasSoManyAndTheOthersTheirOwn) {
  settings_.metrics_max = 5;
  std::vector<store::MetricMetadata> many;
  for (int i = 0; i < 50; ++i) many.push_back(metric("m" + std::to_string(i), "x"));
  EXPECT_TRUE(say("a", many));
  EXPECT_TRUE(say("b", {metric("up", "x")}));
  EXPECT_EQ(stored("a").size(), 5U);
  EXPECT_EQ(stored("b").size(), 1U);
  EXPECT_EQ(keeper().stats().limited, 45U);
  // What is there can change all the same.
  EXPECT_TRUE(say("a", {metric("m0", "y")}));
  EXPECT_THAT(stored("a"), testing::Contains("m0:y@0"));
}

// A flood of names would keep all others out for as long as raw samples are kept.
TEST_F(MetadataKeeperTest, WhatIsNotSaidAnyMoreMakesRoomWhereACustomerIsFull) {
  settings_.metrics_max = 3;
  EXPECT_TRUE(say("a", {metric("still", "x"), metric("flood1", ""), metric("flood2", "")}));
  EXPECT_TRUE(say("b", {metric("flood1", "of b")}));
  day_ = kDay + 10;
  later(std::chrono::hours(240));
  EXPECT_TRUE(say("a", {metric("still", "x")}));
  EXPECT_TRUE(say("a", {metric("new", "x")}));
  EXPECT_EQ(stored("a").size(), 3U) << "some days are no sign";
  day_ = kDay + 15;
  later(std::chrono::hours(120));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(say("a", {metric("new", "x")}));
  EXPECT_THAT(stored("a"), ElementsAre("new:x@15", "still:x@10"));
  EXPECT_THAT(stored("b"), ElementsAre("flood1:of b@0"));
  const std::size_t looks = store_.expiries;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(say("a", {metric("n" + std::to_string(i), "x")}));
    later(std::chrono::minutes(1));
  }
  EXPECT_LE(store_.expiries, looks + 1) << "once an hour";
}

// He says more than he may have with each request; all that is there is still said.
TEST_F(MetadataKeeperTest, WhoIsFullOfWhatIsStillSaidCostsTheStoreNothing) {
  settings_.metrics_max = 3;
  for (std::uint32_t day = 0; day < 30; ++day) {
    day_ = kDay + day;
    EXPECT_TRUE(say("a", {metric("m0", "x"), metric("m1", "x"), metric("m2", "x"),
                          metric("more" + std::to_string(day), "x")}));
    later(std::chrono::hours(24));
  }
  EXPECT_EQ(stored("a").size(), 3U);
  EXPECT_EQ(keeper().stats().limited, 30U);
  EXPECT_EQ(store_.expiries, 0U);
}

TEST_F(MetadataKeeperTest, MemoryIsBoundedByForgettingWhoHasSaidNothingForLongest) {
  settings_.known_max = 10;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(
        say("a" + std::to_string(i), {metric("up", "x"), metric("cpu", "x"), metric("disk", "x")}));
    later(std::chrono::seconds(1));
  }
  EXPECT_LE(keeper().stats().known, 12U);
  EXPECT_EQ(store_.rows, 24U);
  EXPECT_TRUE(say("a0", {metric("up", "x")}));  // read from the store, not written anew
  EXPECT_EQ(store_.rows, 24U);
}

TEST_F(MetadataKeeperTest, WhatTheStoreRefusesIsSaidAgainAndNobodyElses) {
  store_.refused = "a";
  EXPECT_FALSE(say("a", {metric("up", "x")}));
  EXPECT_TRUE(say("b", {metric("up", "x")}));
  EXPECT_EQ(keeper().stats().failed, 1U);
  store_.refused.clear();
  EXPECT_TRUE(say("a", {metric("up", "x")}));
  EXPECT_THAT(stored("a"), ElementsAre("up:x@0"));
  store_.synced = fail(ErrorCode::kUnavailable, "made to fail");
  EXPECT_FALSE(say("a", {metric("cpu", "x")}));
  store_.synced = {};
  EXPECT_TRUE(say("a", {metric("cpu", "x")}));
  EXPECT_EQ(keeper().stats().failed, 2U);
}

TEST_F(MetadataKeeperTest, WhoHoldsTooMuchOnTheWayIsRefusedForNow) {
  settings_.waiting_bytes_max = 4'096;
  const OwnedMetadata much{customer("a"), {metric("up", std::string(4'000, 'x'))}};
  std::promise<Result<void>> answer;
  keeper().keep({much, much}, [&](Result<void> result) { answer.set_value(std::move(result)); });
  const Result<void> kept = answer.get_future().get();
  ASSERT_FALSE(kept.has_value());
  EXPECT_TRUE(is_retryable(kept.error()));
  EXPECT_EQ(keeper().stats().failed, 2U);
  EXPECT_TRUE(say("b", {metric("up", "x")}));
}

TEST_F(MetadataKeeperTest, WhoHoldsTooMuchTakesNobodyElsesOfTheRequestWithIt) {
  settings_.waiting_bytes_max = 12'288;
  const OwnedMetadata much{customer("a"), {metric("up", std::string(4'000, 'x'))}};
  const OwnedMetadata little{customer("b"), {metric("up", "x")}};
  std::promise<Result<void>> answer;
  keeper().keep({much, much, little},
                [&](Result<void> result) { answer.set_value(std::move(result)); });
  EXPECT_FALSE(answer.get_future().get().has_value());
  EXPECT_THAT(stored("a"), IsEmpty());
  EXPECT_THAT(stored("b"), ElementsAre("up:x@0"));
}

TEST_F(MetadataKeeperTest, OnceItIsStoppedNothingIsKeptAndAllAreAnswered) {
  keeper().stop();
  keeper().stop();
  EXPECT_FALSE(say("a", {metric("up", "x")}).has_value());
  EXPECT_EQ(keeper().stats().failed, 1U);
}

// On Cassandra they are one partition.
TEST(MetadataMemoryTest, ACustomersMetricsTogetherSayNoMoreThanTheBound) {
  MetadataMemory memory(1'000'000, 1'000'000);
  const CustomerId owner = customer("a");
  const auto take = [&](const std::string& name, std::size_t help_bytes) {
    const std::string help(help_bytes, 'h');
    return memory.take(owner, hash_metadata({name, 1, "", help}), kDay, {});
  };
  memory.begin_reading(owner, {});
  constexpr std::size_t kHalf = MetadataMemory::kStoredBytesMax / 2;
  std::size_t bytes = 0;
  for (std::size_t i = 0; bytes < kHalf; ++i) {  // read from the store
    const std::string name = "m" + std::to_string(i);
    memory.note_row(owner, hash_metadata({name, 1, "", std::string(4'000, 'h')}), kDay);
    memory.note_row(owner, hash_metadata({name, 1, "", std::string(4'000, 'h')}), kDay);
    bytes += name.size() + 4'000;
  }
  for (std::size_t i = 0; take("n" + std::to_string(i), 4'000) == Said::kNew; ++i) bytes += 4'000;
  EXPECT_LE(bytes, MetadataMemory::kStoredBytesMax);
  EXPECT_GT(bytes, MetadataMemory::kStoredBytesMax / 100 * 99);
  for (std::size_t room = 2'048; room > 0; room /= 2) {
    (void)take("room" + std::to_string(room), room);
  }
  EXPECT_EQ(take("m0", 4'096), Said::kTooMany) << "nor by a change";
  EXPECT_EQ(take("m0", 10), Said::kNew);
  EXPECT_EQ(take("m1", 10), Said::kNew);
  EXPECT_EQ(take("n", 4'000), Said::kNew) << "room that a change has made";
  EXPECT_EQ(memory.take(customer("b"), hash_metadata({"up", 1, "", "x"}), kDay, {}), Said::kNew);
}

TEST(MetadataHashTest, WhatMovesFromOneTextToTheOtherIsAnother) {
  const MetadataHash hash = hash_metadata({"m", 1, "s", "help"});
  EXPECT_EQ(hash, hash_metadata({"m", 1, "s", "help"}));
  EXPECT_NE(hash.content, hash_metadata({"m", 2, "s", "help"}).content);
  EXPECT_NE(hash.content, hash_metadata({"m", 1, "sh", "elp"}).content);
  EXPECT_EQ(hash.content, hash_metadata({"n", 1, "s", "help"}).content);
  EXPECT_NE(hash.metric, hash_metadata({"n", 1, "s", "help"}).metric);
}

}  // namespace
}  // namespace vigia::storage::ingest
