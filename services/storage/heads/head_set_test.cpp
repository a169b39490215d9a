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
  std::size_t newest_asked = 0;

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
    ++newest_asked;
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

// A7: one customer's late samples cost the only applier a read each.
TEST_F(HeadSetTest, WhatMemoryCanDecideNeverReadsTheStoreAndTheRestIsLeftForLater) {
  {
    HeadSet heads(store_, clock_);
    for (int step = 0; step < 10; ++step) append(heads, 1, step);
    ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  }
  store_.newest_asked = 0;
  HeadSet heads(store_, clock_);
  std::vector<StoreWork> work;
  const auto known = [&](std::uint64_t series, bool is_new, int step, double value = 1) {
    const std::vector<Sample> samples = {{kStart + step * kStep, value}};
    return heads.append_known({{1}, {series}, is_new}, samples, {}, kEpoch, work).value();
  };
  EXPECT_EQ(known(1, false, 20).stored, 0U);  // quiet until now: its newest is not known
  EXPECT_EQ(known(1, false, 21).stored, 0U);
  EXPECT_EQ(known(2, true, 20).stored, 1U);
  EXPECT_EQ(known(2, false, 21).stored, 1U);
  EXPECT_EQ(known(2, false, 20).repeats, 1U);
  EXPECT_EQ(known(2, false, 20, 7).conflicts, 1U);
  EXPECT_EQ(known(2, false, 3).stored, 0U);  // late
  EXPECT_EQ(store_.reads + store_.newest_asked, 0U);
  ASSERT_EQ(work.size(), 3U);
  AppendCounts counts;
  for (StoreWork& one : work) counts += heads.append_stored(std::move(one)).value();
  EXPECT_EQ(counts.stored, 3U);
  EXPECT_EQ(counts.late, 1U);
  EXPECT_EQ(known(1, false, 22).stored, 1U);  // now it is
  work.clear();
  known(1, false, 5);
  known(1, false, 5, 9);
  ASSERT_EQ(work.size(), 2U);
  EXPECT_EQ(heads.append_stored(std::move(work[0])).value().repeats, 1U);
  EXPECT_EQ(heads.append_stored(std::move(work[1])).value().conflicts, 1U);
}

// What is closed between the look into the head and the look into the store is in neither.
TEST_F(HeadSetTest, ALateSampleIsKnownAgainThoughItsChunkIsClosedMeanwhile) {
  HeadSet heads(store_, clock_);
  for (const int step : {0, 2}) append(heads, 1, step);
  std::vector<StoreWork> work;
  const std::vector<Sample> late = {{kStart + 1 * kStep, 5}};
  heads.append_known({{1}, {1}}, late, {}, kEpoch, work).value();
  heads.append_known({{1}, {1}}, late, {}, kEpoch, work).value();
  ASSERT_EQ(work.size(), 2U);
  EXPECT_EQ(heads.append_stored(std::move(work[0])).value().stored, 1U);
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_EQ(heads.append_stored(std::move(work[1])).value().repeats, 1U);
}

TEST_F(HeadSetTest, LateSamplesOfOneTimeSpanGatherInFewRows) {
  HeadSet heads(store_, clock_);
  append(heads, 1, 10'000);
  for (int step = 0; step < 400; ++step) append(heads, 1, step);
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_LE(chunks_->read({1}, {1}, 0, INT64_MAX)->size(), 4U);
}

// Histograms are as large as their sender makes them.
TEST_F(HeadSetTest, LargeHistogramsDoNotGatherInMemory) {
  HeadSet heads(store_, clock_);
  for (int i = 0; i < 600; ++i) {
    const std::vector<HistogramSample> one = {{kStart + i, std::string(256U << 10U, 'h')}};
    ASSERT_TRUE(heads.append_histograms({{1}, {static_cast<std::uint64_t>(1 + i % 50)}, i < 50},
                                        one, kEpoch));
  }
  std::size_t bytes = 0;
  for (std::uint64_t series = 1; series <= 50; ++series) {
    for (const auto& sample : heads.read({series}).histograms) bytes += sample.encoded.size();
  }
  EXPECT_LE(bytes, 80U << 20U);
}

}  // namespace
}  // namespace vigia::storage
