#include "services/storage/store/rocksdb/kv/day_set.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The real store, in which something happens just before or just after a range is dropped.
class WatchedStore final : public OrderedStore {
 public:
  explicit WatchedStore(OrderedStore& store) : store_(store) {}
  std::function<Result<void>()> before_drop = [] { return Result<void>(); };
  std::function<Result<void>()> after_drop = [] { return Result<void>(); };

  Result<void> put(const std::vector<KeyValue>& writes, Durability durability) override {
    return store_.put(writes, durability);
  }
  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    return store_.get(family, key);
  }
  Result<std::vector<bool>> contains(Family family,
                                     const std::vector<std::string_view>& keys) override {
    return store_.contains(family, keys);
  }
  std::unique_ptr<Scan> scan_back(Family family, std::string_view from,
                                  std::string_view to) override {
    return store_.scan_back(family, from, to);
  }
  std::unique_ptr<Scan> scan(Family family, std::string_view from, std::string_view to) override {
    return store_.scan(family, from, to);
  }
  Result<void> sync() override { return store_.sync(); }
  Result<void> drop_range(Family family, std::string_view from, std::string_view to) override {
    if (auto done = before_drop(); !done) return done;
    if (auto done = store_.drop_range(family, from, to); !done) return done;
    return after_drop();
  }
  Result<void> compact() override { return store_.compact(); }
  std::uint64_t disk_bytes(Family family) const override { return store_.disk_bytes(family); }

 private:
  OrderedStore& store_;
};

class DaySetTest : public testing::Test {
 protected:
  void put(std::uint32_t day, const std::string& rest = "x") {
    days_.note(day);
    ASSERT_TRUE(store_.put({{Family::kChunks, day_key(day) + rest, ""}}, Durability::kLater));
  }
  std::vector<std::uint32_t> days() const { return days_.between(0, UINT32_MAX); }
  std::vector<std::uint32_t> days_of_a_fresh_start() {
    DaySet fresh(store_, Family::kChunks);
    EXPECT_TRUE(fresh.load().has_value());
    return fresh.between(0, UINT32_MAX);
  }

  TemporaryFolder folder_;
  std::unique_ptr<OrderedStore> real_ = open_rocksdb({folder_.path()}).value();
  WatchedStore store_{*real_};
  DaySet days_{store_, Family::kChunks};
};

TEST_F(DaySetTest, ADayGoesOnceItsLastMomentAndTheOverhangHavePassed) {
  for (const std::uint32_t day : {0U, 1U, 2U, UINT32_MAX}) put(day);
  constexpr TimestampMs kOverhang = 7'200'000;
  EXPECT_EQ(days_.expire(kDayMs + kOverhang - 1, kOverhang).value(), 0U);
  EXPECT_EQ(days_.expire(kDayMs + kOverhang, kOverhang).value(), 1U);
  EXPECT_THAT(days(), ElementsAre(1U, 2U, UINT32_MAX));
  EXPECT_EQ(days_.expire(3 * kDayMs, 0).value(), 2U);
  EXPECT_THAT(days(), ElementsAre(UINT32_MAX));
  EXPECT_THAT(days_of_a_fresh_start(), ElementsAre(UINT32_MAX));
}

TEST_F(DaySetTest, WhatIsWrittenWhileItsDayExpiresIsStillFoundAndExpiresNextTime) {
  put(1);
  store_.after_drop = [&] {
    put(1, "late");
    return Result<void>();
  };
  EXPECT_EQ(days_.expire(3 * kDayMs, 0).value(), 1U);
  EXPECT_THAT(days(), ElementsAre(1U));
  store_.after_drop = [] { return Result<void>(); };
  EXPECT_EQ(days_.expire(3 * kDayMs, 0).value(), 1U);
  EXPECT_THAT(days(), IsEmpty());
  EXPECT_THAT(days_of_a_fresh_start(), IsEmpty());
}

// With one range go those whose numbers follow each other, all of which are over: one that has come
// meanwhile, or that nobody has, lies between two of them.
TEST_F(DaySetTest, OfADayThatIsNotOverForAllOnlyWhatIsOverGoes) {
  const auto put_of = [&](std::uint32_t number) {
    std::string rest;
    append_key_u32(rest, number);
    put(1, rest + "x");
  };
  for (const std::uint32_t number : {2U, 3U, 5U, 9U, UINT32_MAX}) put_of(number);
  DayCuts cuts(3 * kDayMs);
  cuts.earliest_ms = 0;
  cuts.own[9] = 0;
  cuts.is_given = [](std::uint32_t number) { return number != 4; };
  int drops = 0;
  store_.before_drop = [&] {
    ++drops;
    put_of(4);
    return Result<void>();
  };
  EXPECT_EQ(days_.expire(cuts, 0).value(), 1U);
  EXPECT_EQ(drops, 3) << "2 and 3, 5, and the last one";
  std::vector<std::uint32_t> left;
  const auto scan = real_->scan(Family::kChunks, "", "");
  while (scan->next()) {
    std::string_view rest = scan->key().substr(day_key(1).size());
    bool ok = true;
    left.push_back(take_key_u32(rest, ok));
  }
  EXPECT_THAT(left, ElementsAre(4U, 9U));
  EXPECT_THAT(days(), ElementsAre(1U));
}

TEST_F(DaySetTest, APartThatFailsIsTriedAgain) {
  std::string rest;
  append_key_u32(rest, 7);
  put(1, rest + "x");
  DayCuts cuts(0);
  cuts.latest_ms = 3 * kDayMs;
  cuts.own[7] = 3 * kDayMs;
  store_.before_drop = [] { return Result<void>(fail(ErrorCode::kUnavailable, "disk full")); };
  EXPECT_FALSE(days_.expire(cuts, 0).has_value());
  store_.before_drop = [] { return Result<void>(); };
  EXPECT_EQ(days_.expire(cuts, 0).value(), 1U);
  EXPECT_EQ(days_.expire(cuts, 0).value(), 0U);
}

// Before, and in the middle of it: files may be gone by then, the rest is not.
TEST_F(DaySetTest, AnExpiryThatFailsIsTriedAgain) {
  put(1);
  put(2);
  const auto refuse = [] { return Result<void>(fail(ErrorCode::kUnavailable, "disk full")); };
  for (auto* moment : {&store_.before_drop, &store_.after_drop}) {
    *moment = refuse;
    EXPECT_FALSE(days_.expire(3 * kDayMs, 0).has_value());
    EXPECT_THAT(days(), ElementsAre(1U, 2U));
    *moment = [] { return Result<void>(); };
  }
  EXPECT_EQ(days_.expire(3 * kDayMs, 0).value(), 2U);
  EXPECT_THAT(days_of_a_fresh_start(), IsEmpty());
}

// One key without a day ended every start of storage.
TEST_F(DaySetTest, AKeyWithoutADayIsSetAsideAndTheDaysAreThere) {
  put(3);
  put(7);
  ASSERT_TRUE(
      store_.put({{Family::kChunks, "abc", "v"}, {Family::kChunks, std::string("\0\0", 2), ""}},
                 Durability::kNow));
  EXPECT_THAT(days_of_a_fresh_start(), ElementsAre(3U, 7U));  // a store without a quarantine
  DaySet again(*real_, Family::kChunks);
  ASSERT_TRUE(again.load().has_value());
  EXPECT_THAT(again.between(0, UINT32_MAX), ElementsAre(3U, 7U));
  EXPECT_EQ(real_->damage().found.at("row"), 1U);
  EXPECT_EQ(real_->damage().rows_lost, 2U);
  EXPECT_EQ(real_->damage().quarantined_files, 1U);
  EXPECT_FALSE(real_->get(Family::kChunks, "abc")->has_value());
  ASSERT_TRUE(DaySet(*real_, Family::kChunks).load().has_value());
  EXPECT_EQ(real_->damage().rows_lost, 2U);  // met once
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
