#include "services/storage/store/flat_id_map.hpp"

#include <gtest/gtest.h>
#include <xxhash.h>

namespace vigia::storage::store {
namespace {

constexpr std::size_t kSlotBytes = 32;
constexpr std::size_t kBytesMax = 4096 * kSlotBytes;  // 3,240 series
constexpr std::uint32_t kA = 1;
constexpr std::uint32_t kB = 2;

class FlatIdMapTest : public testing::Test {
 protected:
  static LabelsHash hash(std::uint64_t series) {
    const XXH128_hash_t hash = XXH3_128bits(&series, sizeof(series));
    return {hash.high64, hash.low64};
  }
  void insert(std::uint32_t owner, std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t id = first; id < first + count; ++id) {
      map_.insert(owner, hash(id), {SeriesId{id}});
      ASSERT_LE(map_.memory_bytes(), kBytesMax);
    }
  }
  // Each is asked for by this, what is not there is put in again: as writers do.
  std::uint64_t known(std::uint32_t owner, std::uint64_t first, std::uint64_t count) {
    std::uint64_t known = 0;
    for (std::uint64_t id = first; id < first + count; ++id) {
      const auto found = map_.find(hash(id));
      if (found.has_value()) {
        EXPECT_EQ(found->id.value, id);
        ++known;
      } else {
        map_.insert(owner, hash(id), {SeriesId{id}});
      }
    }
    return known;
  }

  FlatIdMap map_{kBytesMax};
};

TEST_F(FlatIdMapTest, WithinItsBoundNothingIsForgotten) {
  insert(kA, 1, 3'000);
  EXPECT_EQ(known(kA, 1, 3'000), 3'000U);
  EXPECT_EQ(map_.size(), 3'000U);
}

TEST_F(FlatIdMapTest, WhatAFloodBringsOnceGoesFirstAndNothingOfOthers) {
  insert(kB, 1'000'000, 200);
  insert(kA, 1, 500);
  std::uint64_t next = 10'000;
  for (int turn = 0; turn < 50; ++turn) {
    EXPECT_EQ(known(kB, 1'000'000, 200), 200U) << turn;
    EXPECT_EQ(known(kA, 1, 500), 500U) << turn;
    insert(kA, next, 400);  // less than a forgetting makes room for
    next += 400;
  }
}

// Also where all of the flood is asked for again and again, and the other's is not.
TEST_F(FlatIdMapTest, WhoHoldsMostForgetsHisOwn) {
  insert(kB, 1'000'000, 100);
  for (int turn = 0; turn < 20; ++turn) known(kA, 1, 2'900);
  EXPECT_EQ(known(kB, 1'000'000, 100), 100U);
  for (int turn = 0; turn < 20; ++turn) {
    insert(kA, 10'000 + turn * 1'000, 1'000);
    EXPECT_EQ(known(kB, 1'000'000, 100), 100U) << turn;
  }
}

// Slightly more than there is room for must not mean that none is ever found.
TEST_F(FlatIdMapTest, MostAreStillFoundWhereSomeMoreAreAskedForThanFit) {
  insert(kA, 1, 3'300);
  std::uint64_t found = 0;
  for (int turn = 0; turn < 20; ++turn) found += known(kA, 1, 3'300);
  EXPECT_GT(found, 20U * 3'300 / 2);
}

TEST_F(FlatIdMapTest, AShorterBoundHoldsAtOnce) {
  insert(kB, 1'000'000, 100);
  insert(kA, 1, 2'900);
  ASSERT_EQ(known(kB, 1'000'000, 100), 100U);
  map_.set_bytes_max(kBytesMax / 2);
  EXPECT_LE(map_.memory_bytes(), kBytesMax / 2);
  EXPECT_GT(map_.size(), 1'000U);
  EXPECT_EQ(known(kB, 1'000'000, 100), 100U);
  map_.set_bytes_max(kBytesMax);
  insert(kA, 1, 2'900);
  EXPECT_EQ(known(kA, 1, 2'900), 2'900U);
  map_.clear();
  EXPECT_EQ(map_.memory_bytes(), 0U);
}

TEST_F(FlatIdMapTest, DaysStayWithTheirNumberAlone) {
  const auto days = [&] { return map_.find(hash(7))->days; };
  map_.insert(kA, hash(7), {SeriesId{7}, {100, 102}});
  map_.insert(kA, hash(7), {SeriesId{7}});
  EXPECT_EQ(days(), (DayRange{100, 102}));
  map_.forget_before(102);
  EXPECT_EQ(days(), (DayRange{100, 102}));
  map_.insert(kA, hash(7), {SeriesId{8}});
  EXPECT_EQ(days(), kNoDays);
  map_.insert(kA, hash(7), {SeriesId{8}, {100, 102}});
  map_.forget_days();
  EXPECT_EQ(days(), kNoDays);
  map_.forget_before(1'000);
  EXPECT_EQ(map_.find(hash(7))->id, SeriesId{8});
  map_.insert(kA, hash(7), {SeriesId{8}, {100, 102}});
  map_.forget_before(103);
  EXPECT_FALSE(map_.find(hash(7)).has_value());
}

}  // namespace
}  // namespace vigia::storage::store
