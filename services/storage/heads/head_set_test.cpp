#include "services/storage/heads/head_set.hpp"

#include <gtest/gtest.h>

#include "services/storage/chunks/kv_chunk_store.hpp"
#include "services/storage/kv/rocksdb_store.hpp"
#include "services/storage/testing/temporary_folder.hpp"

namespace vigia::storage {
namespace {

constexpr TimestampMs kStart = 1'764'043'200'000;
constexpr TimestampMs kStep = 15'000;
constexpr int kSteps = 200;
constexpr std::uint64_t kSeries = 20;
constexpr Epoch kEpoch = 1000;

// The real store, reads counted.
class CountedStore final : public ChunkStore {
 public:
  explicit CountedStore(ChunkStore& store) : store_(store) {}
  std::size_t reads = 0;

  Result<void> put(CustomerNumber customer, const std::vector<ChunkRow>& rows) override {
    return store_.put(customer, rows);
  }
  Result<std::vector<ChunkRow>> read(CustomerNumber customer, SeriesId series, TimestampMs from_ms,
                                     TimestampMs to_ms) override {
    ++reads;
    return store_.read(customer, series, from_ms, to_ms);
  }
  Result<std::optional<TimestampMs>> newest(CustomerNumber customer, SeriesId series,
                                            TimestampMs from_ms) override {
    return store_.newest(customer, series, from_ms);
  }
  Result<void> sync() override { return store_.sync(); }
  Result<std::size_t> expire(TimestampMs before_ms) override { return store_.expire(before_ms); }
  std::uint64_t disk_bytes() const override { return store_.disk_bytes(); }

 private:
  ChunkStore& store_;
};

class HeadSetTest : public testing::Test {
 protected:
  AppendCounts append(HeadSet& heads, std::uint64_t series, int step, double value = 1) {
    return heads.append({{1}, {series}}, {{kStart + step * kStep, value}}, kEpoch).value();
  }
  // A step of all series, then the next: as requests come, and as the log gives them again.
  AppendCounts append_all(HeadSet& heads) {
    AppendCounts counts;
    for (int step = 0; step < kSteps; ++step) {
      for (std::uint64_t series = 1; series <= kSeries; ++series) {
        counts += append(heads, series, step);
      }
    }
    return counts;
  }

  TemporaryFolder folder_;
  ManualClock clock_{kStart * 1'000'000};
  std::unique_ptr<OrderedStore> kv_ = open_rocksdb({folder_.path()}).value();
  std::unique_ptr<KvChunkStore> chunks_ = KvChunkStore::open(*kv_).value();
  CountedStore store_{*chunks_};
};

TEST_F(HeadSetTest, AReplayAsksTheStoreOnceAChunkAndNotOnceASample) {
  {
    HeadSet heads(store_, clock_);
    append_all(heads);
    ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  }
  HeadSet heads(store_, clock_);
  const AppendCounts again = append_all(heads);
  EXPECT_EQ(again.repeats, kSeries * kSteps);
  EXPECT_EQ(again.stored, 0U);
  EXPECT_LE(store_.reads, kSeries * 4);  // a window may have ended within: two chunks, and a gap
}

TEST_F(HeadSetTest, WhatIsWrittenBetweenRepeatsIsSeenByThem) {
  HeadSet heads(store_, clock_);
  for (const int step : {0, 1, 3, 4, 6}) append(heads, 1, step);
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_EQ(append(heads, 1, 1).repeats, 1U);
  EXPECT_EQ(append(heads, 1, 2, 5).late, 1U);
  EXPECT_EQ(append(heads, 1, 2, 5).repeats, 1U);
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_EQ(append(heads, 1, 1).repeats, 1U);
  EXPECT_EQ(append(heads, 1, 2, 5).repeats, 1U);
  EXPECT_EQ(append(heads, 1, 2, 6).conflicts, 1U);
  EXPECT_EQ(append(heads, 1, 4, 6).conflicts, 1U);
  EXPECT_EQ(append(heads, 1, 3).repeats, 1U);  // back in time
  EXPECT_EQ(append(heads, 1, 5).late, 1U);
  EXPECT_EQ(append(heads, 1, 7).late, 0U);
  EXPECT_EQ(append(heads, 1, 6).repeats, 1U);
}

}  // namespace
}  // namespace vigia::storage
