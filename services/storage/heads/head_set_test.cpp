#include "services/storage/heads/head_set.hpp"

#include <atomic>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "services/storage/heads/testing/append_now.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::heads {
namespace {

constexpr TimestampMs kStart = 1'764'043'200'000;
constexpr TimestampMs kStep = 15'000;
constexpr int kSteps = 200;
constexpr std::uint64_t kSeries = 20;
constexpr Epoch kEpoch = 1000;

class TooMuch final : public store::ChunkCursor {
 public:
  Result<std::vector<store::ChunkRow>> next() override {
    return fail(ErrorCode::kOverLimit, "a series holds more than can be read");
  }
  std::size_t at() const override { return 0; }
};

// Reads counted, and a disk that may be full.
class CountedStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  std::atomic<std::size_t> reads{0};
  std::atomic<std::size_t> newest_asked{0};
  std::atomic<bool> is_refusing{false};
  std::atomic<bool> has_too_much{false};  // of every series, for one read
  std::function<void()> at_read;          // once, at the next one

  void put(const CustomerId& customer, std::span<const store::ClosedChunk> chunks,
           Done done) override {
    if (is_refusing) return done(fail(ErrorCode::kUnavailable, "the disk is full"));
    store::WatchedChunks::put(customer, chunks, std::move(done));
  }
  std::unique_ptr<store::ChunkCursor> read(const CustomerId& customer,
                                           std::span<const store::SeriesKey> series,
                                           const store::ChunkQuery& query) override {
    ++reads;
    if (const auto then = std::exchange(at_read, {})) then();
    if (has_too_much) return std::make_unique<TooMuch>();
    return store::WatchedChunks::read(customer, series, query);
  }
  Result<std::optional<TimestampMs>> newest(const CustomerId& customer,
                                            const store::SeriesKey& series,
                                            TimestampMs from_ms) override {
    ++newest_asked;
    return store::WatchedChunks::newest(customer, series, from_ms);
  }
};

class HeadSetTest : public testing::Test {
 protected:
  AppendCounts append(HeadSet& heads, std::uint64_t series, int step, double value = 1) {
    return append_now(heads, {{1}, {series}}, {{kStart + step * kStep, value}}, kEpoch).value();
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

  // Of customer 1, as they lie in the store.
  std::size_t stored_rows(std::uint64_t series) {
    const CustomerId customer = numbers_.id_of({1}).value();
    return store::read_rows(store_, customer, {"", {series}}, {0, INT64_MAX}).value().size();
  }

  ManualClock clock_{kStart * 1'000'000};
  store::MemoryColdStore memory_;
  CountedStore store_{memory_.chunks()};
  TestNumbers numbers_;
  StoredSeries stored_series_{store_, numbers_};
};

TEST_F(HeadSetTest, TellsWhatIsOpenOrNotStoredYetOfAnEpochAndBefore) {
  store_.is_refusing = true;
  HeadSet heads(stored_series_, clock_);
  const auto until = [&](Epoch epoch) {
    std::set<std::uint64_t> series;
    for (const SeriesRef& one : heads.open_until(epoch)) {
      EXPECT_EQ(one.customer.value, 1U);
      series.insert(one.id.value);
    }
    return series;
  };
  const auto append_at = [&](std::uint64_t series, TimestampMs time_ms, Epoch epoch) {
    ASSERT_TRUE(append_now(heads, {{1}, {series}}, {{time_ms, 1}}, epoch));
  };
  append_at(1, kStart, 10);
  append_at(2, kStart, 20);
  append_at(1, kStart + 4 * store::kChunkSpanMs, 30);  // closes what is before it
  EXPECT_EQ(until(9), std::set<std::uint64_t>());
  EXPECT_EQ(until(10), (std::set<std::uint64_t>{1})) << "closed, and refused by the store";
  EXPECT_EQ(until(20), (std::set<std::uint64_t>{1, 2}));
  store_.is_refusing = false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (heads.stats().closed.chunks > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(until(20), (std::set<std::uint64_t>{2}));
  EXPECT_EQ(until(30), (std::set<std::uint64_t>{1, 2}));
}

// What is told of the past: whether memory alone or the store decides on a sample, of either kind.
TEST_F(HeadSetTest, WhatIsStoredOfThePastIsCounted) {
  customers::PastWrites past;
  HeadSet heads(stored_series_, clock_, {}, &past);
  const auto writes = [&past] {
    return past.tell(kStart, [](customers::CustomerNumber) { return true; }).writes;
  };
  EXPECT_EQ(writes(), 0U);
  const auto append_at = [&](TimestampMs time_ms, double value) {
    ASSERT_TRUE(append_now(heads, {{1}, {1}}, {{time_ms, value}}, kEpoch));
  };
  append_at(kStart + 1, 1);
  EXPECT_EQ(writes(), 0U);
  append_at(kStart, 1);  // late, in its head
  EXPECT_EQ(writes(), 1U);
  append_at(kStart, 1);
  append_at(kStart, 2);
  EXPECT_EQ(writes(), 1U) << "a repeat and a conflict change nothing";
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  append_at(kStart - kStep, 1);  // the store is asked
  EXPECT_EQ(writes(), 2U);
  store_.is_refusing = true;
  append_at(kStart - 2 * kStep, 1);
  EXPECT_EQ(writes(), 3U) << "it can be read, whether the store takes it or not";
  chunk::HistogramSample histogram;
  histogram.timestamp_ms = kStart - kStep;
  ASSERT_TRUE(append_histograms_now(heads, {{1}, {2}}, {histogram}, kEpoch));
  EXPECT_EQ(writes(), 4U);
  store_.is_refusing = false;
}

TEST_F(HeadSetTest, AReplayAsksTheStoreOnceAChunkAndNotOnceASample) {
  {
    HeadSet heads(stored_series_, clock_);
    append_all(heads);
    ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  }
  HeadSet heads(stored_series_, clock_);
  const AppendCounts again = append_all(heads);
  EXPECT_EQ(again.repeats, kSeries * kSteps);
  EXPECT_EQ(again.stored, 0U);
  EXPECT_LE(store_.reads, kSeries * 4);  // a window may have ended within: two chunks, and a gap
}

TEST_F(HeadSetTest, WhatIsWrittenBetweenRepeatsIsSeenByThem) {
  HeadSet heads(stored_series_, clock_);
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

// Two requests of one time and different values, in the log's order. While the store is asked for
// the first of a series that was quiet, the second was taken before it: whoever was told "stored"
// lost it at the next replay.
TEST_F(HeadSetTest, OfTwoValuesTheFirstInTheLogStaysHoweverLongItWaits) {
  const auto sample = [](int step, double value) { return Sample{kStart + step * kStep, value}; };
  const auto heads = std::make_unique<HeadSet>(stored_series_, clock_);
  append(*heads, 1, 2);
  ASSERT_TRUE(heads->sweep({kEpoch, kStart, true}).has_value());
  const SeriesRef series{{1}, {1}};
  const std::vector<Sample> first = {sample(0, 1), sample(3, 1), sample(4, 1)};
  const std::vector<Sample> second = {sample(0, 2), sample(3, 2), sample(5, 2)};
  const auto restarted = std::make_unique<HeadSet>(stored_series_, clock_);
  std::vector<StoreWork> work;
  std::vector<StoreWork> behind;
  AppendCounts of_second;
  EXPECT_EQ(restarted->append_known(series, first, {}, kEpoch, work).stored, 0U);
  store_.at_read = [&] { of_second = restarted->append_known(series, second, {}, kEpoch, behind); };
  ASSERT_EQ(work.size(), 1U);
  const auto of_first = restarted->append_stored(std::exchange(work, {}).front());
  ASSERT_TRUE(of_first.has_value());
  EXPECT_EQ(of_first->stored, 3U);
  EXPECT_EQ(of_first->conflicts, 0U);
  ASSERT_EQ(behind.size(), 1U);
  EXPECT_EQ(of_second.stored, 1U) << "what lies behind all that waits need not wait";
  of_second += restarted->append_stored(std::exchange(behind, {}).front()).value();
  EXPECT_EQ(of_second.stored, 1U);
  EXPECT_EQ(of_second.conflicts, 2U);
  // As the log gives them again.
  HeadSet replayed(stored_series_, clock_);
  EXPECT_EQ(append_now(replayed, series, first, kEpoch)->stored, 3U);
  EXPECT_EQ(append_now(replayed, series, second, kEpoch)->conflicts, 2U);
  // Nothing waits any more.
  EXPECT_EQ(restarted->append_known(series, std::vector{sample(4, 1)}, {}, kEpoch, work).repeats,
            1U);
  EXPECT_TRUE(work.empty());
}

TEST_F(HeadSetTest, RowsThatAreMoreThanCanBeReadAtOnceKeepNothingFromBeingTaken) {
  {
    HeadSet heads(stored_series_, clock_);
    for (int step = 0; step < 10; ++step) append(heads, 1, step);
    ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  }
  store_.has_too_much = true;
  HeadSet heads(stored_series_, clock_);
  const auto repeat = append_now(heads, {{1}, {1}}, {{kStart + 3 * kStep, 1}}, kEpoch);
  ASSERT_TRUE(repeat.has_value()) << repeat.error().message;
  EXPECT_TRUE(append_now(heads, {{1}, {1}}, {{kStart + 20 * kStep, 1}}, kEpoch).has_value());
}

// A7: one customer's late samples cost the only applier a read each.
TEST_F(HeadSetTest, WhatMemoryCanDecideNeverReadsTheStoreAndTheRestIsLeftForLater) {
  {
    HeadSet heads(stored_series_, clock_);
    for (int step = 0; step < 10; ++step) append(heads, 1, step);
    ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  }
  store_.newest_asked = 0;
  HeadSet heads(stored_series_, clock_);
  std::vector<StoreWork> work;
  const auto known = [&](std::uint64_t series, bool is_new, int step, double value = 1) {
    const std::vector<Sample> samples = {{kStart + step * kStep, value}};
    return heads.append_known({{1}, {series}, is_new}, samples, {}, kEpoch, work);
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
  HeadSet heads(stored_series_, clock_);
  for (const int step : {0, 2}) append(heads, 1, step);
  std::vector<StoreWork> work;
  const std::vector<Sample> late = {{kStart + 1 * kStep, 5}};
  heads.append_known({{1}, {1}}, late, {}, kEpoch, work);
  heads.append_known({{1}, {1}}, late, {}, kEpoch, work);
  ASSERT_EQ(work.size(), 2U);
  EXPECT_EQ(heads.append_stored(std::move(work[0])).value().stored, 1U);
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_EQ(heads.append_stored(std::move(work[1])).value().repeats, 1U);
}

TEST_F(HeadSetTest, LateSamplesOfOneTimeSpanGatherInFewRows) {
  HeadSet heads(stored_series_, clock_);
  append(heads, 1, 10'000);
  for (int step = 0; step < 400; ++step) append(heads, 1, step);
  ASSERT_TRUE(heads.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_LE(stored_rows(1), 4U);
}

// Histograms are as large as their sender makes them.
TEST_F(HeadSetTest, LargeHistogramsDoNotGatherInMemory) {
  HeadSet heads(stored_series_, clock_, {64U << 20U, 32U << 20U});
  for (int i = 0; i < 600; ++i) {
    const std::vector<HistogramSample> one = {{kStart + i, std::string(256U << 10U, 'h')}};
    ASSERT_TRUE(append_histograms_now(
        heads, {{1}, {static_cast<std::uint64_t>(1 + i % 50)}, i < 50}, one, kEpoch));
    ASSERT_TRUE(heads.relieve());
  }
  std::size_t bytes = 0;
  for (std::uint64_t series = 1; series <= 50; ++series) {
    for (const auto& sample : heads.read({series}).histograms) bytes += sample.encoded.size();
  }
  EXPECT_LE(bytes, 80U << 20U);
}

constexpr std::size_t kBound = 256U << 10U;
constexpr std::size_t kClosedBound = 8U << 10U;

class ReliefTest : public HeadSetTest {
 protected:
  // `count` samples in each of the customer's series, whose numbers begin with `first`.
  void fill(std::uint32_t customer, std::uint64_t first, std::uint64_t series, int count) {
    for (std::uint64_t id = first; id < first + series; ++id) {
      std::vector<Sample> samples;
      for (int i = 0; i < count; ++i) samples.push_back({kStart + i * 1000, 0.1 * i});
      append_now(heads_, {{customer}, {id}}, samples, kEpoch).value();
    }
  }
  void relieve_all() {
    for (std::size_t i = 0; i < 3 * HeadSet::kParts; ++i) ASSERT_TRUE(heads_.relieve());
  }
  // Some parts are closed before the closed ones are too many.
  bool relieves_until_refused() {
    for (std::size_t i = 0; i < HeadSet::kParts; ++i) {
      if (!heads_.relieve()) return true;
    }
    return false;
  }
  std::size_t open_samples(std::uint64_t id) {
    return chunk::read_samples(heads_.read({id}).chunk)->size();
  }

  HeadSet heads_{stored_series_, clock_, {kBound, kClosedBound}};
};

TEST_F(ReliefTest, PastTheBoundTheChunksOfWhoHoldsMostAreClosedEarly) {
  fill(2, 1'000, 20, 50);
  fill(1, 1, 600, 50);
  ASSERT_GT(heads_.stats().memory_bytes, kBound);
  relieve_all();
  EXPECT_LE(heads_.stats().memory_bytes, kBound);
  EXPECT_GT(heads_.stats().closed_for_memory, 100U);
  for (std::uint64_t id = 1'000; id < 1'020; ++id) EXPECT_EQ(open_samples(id), 50U) << id;
  AppendCounts again;
  for (std::uint64_t id = 1; id <= 600; ++id) {  // all of it is known, forgotten heads or not
    std::vector<Sample> samples;
    for (int i = 0; i < 51; ++i) samples.push_back({kStart + i * 1000, 0.1 * i});
    again += append_now(heads_, {{1}, {id}, true}, samples, kEpoch + 1).value();
  }
  EXPECT_EQ(again.repeats, 600U * 50);
  EXPECT_EQ(again.stored, 600U);
}

TEST_F(ReliefTest, WithinTheBoundNothingIsClosed) {
  fill(1, 1, 100, 50);
  ASSERT_LT(heads_.stats().memory_bytes, kBound);
  relieve_all();
  EXPECT_EQ(heads_.stats().closed_for_memory, 0U);
  EXPECT_EQ(open_samples(1), 50U);
  heads_.set_short(true);  // half of the bound
  fill(1, 200, 150, 50);
  relieve_all();
  EXPECT_GT(heads_.stats().closed_for_memory, 0U);
}

TEST_F(ReliefTest, WhereTheStoreRefusesWhoHoldsMuchIsRefusedFirst) {
  fill(2, 10'000, 10, 50);
  fill(1, 1, 600, 50);
  ASSERT_GT(heads_.stats().memory_bytes, kBound + kBound / 4);
  ASSERT_LT(heads_.stats().memory_bytes, kBound + kBound / 2);
  store_.is_refusing = true;
  EXPECT_TRUE(relieves_until_refused());
  for (std::uint64_t id = 2'000; heads_.stats().memory_bytes <= kBound + kBound / 4; ++id) {
    fill(1, id, 1, 50);
  }
  const auto refused = heads_.check_room({1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(is_retryable(refused.error()));
  EXPECT_TRUE(heads_.check_room({2}));
  store_.is_refusing = false;
  while (!heads_.await_stored(std::chrono::seconds(20))) std::this_thread::yield();
  relieve_all();
  ASSERT_TRUE(heads_.await_stored(std::chrono::seconds(20)));
  EXPECT_TRUE(heads_.check_room({1}));
}

// D1: the first histogram of each series was in no count, however many series there were.
TEST_F(ReliefTest, OneHistogramInEachOfManySeriesCountsAndIsWritten) {
  const std::string encoded(4'000, 'h');
  for (std::uint64_t id = 1; id <= 300; ++id) {
    const std::uint32_t customer = id <= 10 ? 2 : 1;
    append_histograms_now(heads_, {{customer}, {id}, true}, {{kStart, encoded}}, kEpoch).value();
    ASSERT_TRUE(heads_.relieve());
    ASSERT_LE(heads_.stats().memory_bytes, kBound + kBound / 4) << id;
  }
  EXPECT_GT(heads_.stats().closed_for_memory, 100U);
  for (std::uint64_t id = 1; id <= 10; ++id) EXPECT_EQ(heads_.read({id}).histograms.size(), 1U);
  AppendCounts again;
  for (std::uint64_t id = 1; id <= 300; ++id) {
    const customers::CustomerNumber customer{id <= 10 ? 2U : 1U};
    again +=
        append_histograms_now(heads_, {customer, {id}}, {{kStart, encoded}}, kEpoch + 1).value();
  }
  EXPECT_EQ(again.histogram_repeats, 300U);
}

// The smaller brother: late samples, of which each series could keep some whatever the bound.
TEST_F(ReliefTest, LateSamplesOfManySeriesCountAndAreWritten) {
  fill(2, 1'000, 10, 2);
  for (std::uint64_t id = 1; id <= 400; ++id) {
    append_now(heads_, {{1}, {id}, true}, {{kStart + 10'000'000, 1.0}}, kEpoch).value();
    for (int i = 0; i < 30; ++i) {
      append_now(heads_, {{1}, {id}}, {{kStart + i * 1000, 2.0}}, kEpoch).value();
    }
    ASSERT_TRUE(heads_.relieve());
    ASSERT_LE(heads_.stats().memory_bytes, kBound + kBound / 4) << id;
  }
  for (std::uint64_t id = 1'000; id < 1'010; ++id) EXPECT_EQ(open_samples(id), 2U);
  AppendCounts again;
  for (std::uint64_t id = 1; id <= 400; ++id) {
    std::vector<Sample> late;
    for (int i = 0; i < 30; ++i) late.push_back({kStart + i * 1000, 2.0});
    again += append_now(heads_, {{1}, {id}}, late, kEpoch + 1).value();
  }
  EXPECT_EQ(again.repeats, 400U * 30);
}

TEST_F(ReliefTest, WhereTheStoreRefusesHistogramsCountToo) {
  store_.is_refusing = true;
  const std::string encoded(4'000, 'h');
  for (std::uint64_t id = 1; id <= 80; ++id) {
    append_histograms_now(heads_, {{1}, {id}, true}, {{kStart, encoded}}, kEpoch).value();
  }
  EXPECT_TRUE(relieves_until_refused());
  EXPECT_FALSE(heads_.check_room({1}).has_value());
  EXPECT_TRUE(heads_.check_room({2}).has_value());
}

// Half of the bound is passed by what was within it: all were refused until it was written.
TEST_F(ReliefTest, WhenMemoryBecomesShortWhoHoldsLittleIsNotRefused) {
  fill(2, 10'000, 10, 50);
  fill(1, 1, 350, 50);
  ASSERT_LT(heads_.stats().memory_bytes, kBound);
  ASSERT_GT(heads_.stats().memory_bytes, kBound / 4 * 3);
  heads_.set_short(true);
  EXPECT_FALSE(heads_.check_room({1}));
  EXPECT_TRUE(heads_.check_room({2}));
  relieve_all();
  while (!heads_.await_stored(std::chrono::seconds(20))) std::this_thread::yield();
  EXPECT_TRUE(heads_.check_room({1})) << "also not for what waits for the store";
}

// What is counted must come back to nothing, or the bound would close ever more.
TEST_F(ReliefTest, MemoryIsCountedBothWays) {
  fill(1, 1, 50, 50);
  fill(2, 100, 50, 300);
  append_histograms_now(heads_, {{1}, {1}}, {{kStart, "one"}}, kEpoch).value();
  append_histograms_now(heads_, {{1}, {400}, true}, {{kStart, std::string(99, 'h')}}, kEpoch)
      .value();
  append_histograms_now(heads_, {{1}, {400}}, {{kStart - 1, std::string(3, 'h')}}, kEpoch).value();
  append_histograms_now(heads_, {{1}, {400}}, {{kStart - 2, std::string(77, 'h')}}, kEpoch).value();
  append_now(heads_, {{2}, {100}}, {{kStart - 5, 1.0}, {kStart - 9, 1.0}}, kEpoch).value();
  ASSERT_TRUE(heads_.sweep({kEpoch, kStart, true}).has_value());
  ASSERT_TRUE(heads_.sweep({kEpoch + 1'000, kStart, true}).has_value());
  EXPECT_EQ(heads_.stats().open_series, 0U);
  EXPECT_EQ(heads_.stats().memory_bytes, 0U);
}

}  // namespace
}  // namespace vigia::storage::heads
