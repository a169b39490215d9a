#include "services/storage/ingest/ingester.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr TimestampMs kStep = 15'000;
constexpr TimestampMs kHour = 3'600'000;

class IngesterTest : public testing::Test {
 protected:
  // `count` samples from `first` on, 15 s apart; the value says which.
  AppendCounts write_run(TimestampMs first, int count) {
    std::vector<Sample> samples;
    for (int i = 0; i < count; ++i) samples.push_back(numbered(first + i * kStep));
    return storage_.write("cliente-a", "m", samples);
  }
  static Sample numbered(TimestampMs time) { return {time, static_cast<double>(time % 1'000'003)}; }
  void expect_numbered(std::size_t count) {
    const auto values = storage_.read("cliente-a", "m");
    EXPECT_EQ(values.size(), count);
    for (const auto& [time, value] : values) EXPECT_EQ(value, numbered(time).value) << time;
  }

  StorageFixture storage_;
};

TEST_F(IngesterTest, WhatIsWrittenIsReadBack) {
  const AppendCounts counts = storage_.write("cliente-a", "m", {{kNow, 1}, {kNow + 1, 2}});
  EXPECT_EQ(counts.stored, 2U);
  EXPECT_EQ(counts.late, 0U);
  EXPECT_THAT(storage_.read("cliente-a", "m"), ElementsAre(Pair(kNow, 1), Pair(kNow + 1, 2)));
  EXPECT_TRUE(storage_.read("cliente-b", "m").empty());
}

TEST_F(IngesterTest, AnEqualRepeatVanishesAndIsCounted) {
  write_run(kNow, 10);
  const AppendCounts counts = write_run(kNow, 10);
  EXPECT_EQ(counts.stored, 0U);
  EXPECT_EQ(counts.repeats, 10U);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 10U);
}

TEST_F(IngesterTest, OfConflictingValuesTheFirstStays) {
  storage_.write("cliente-a", "m", {{kNow, 1}, {kNow + kStep, 2}});
  const AppendCounts counts = storage_.write("cliente-a", "m", {{kNow, 5}, {kNow + 2 * kStep, 3}});
  EXPECT_EQ(counts.conflicts, 1U);
  EXPECT_EQ(counts.stored, 1U);
  EXPECT_THAT(storage_.read("cliente-a", "m"),
              ElementsAre(Pair(kNow, 1), Pair(kNow + kStep, 2), Pair(kNow + 2 * kStep, 3)));
}

TEST_F(IngesterTest, AConflictWithAClosedChunkIsSeenToo) {
  write_run(kNow - 3 * kHour, 3 * 240);
  EXPECT_GE(storage_.read_raw("cliente-a", "m").chunks.size(), 2U);
  EXPECT_EQ(storage_.write("cliente-a", "m", {{kNow - 3 * kHour, -1}}).conflicts, 1U);
  EXPECT_EQ(write_run(kNow - 3 * kHour, 20).repeats, 20U);
  expect_numbered(3 * 240);
}

TEST_F(IngesterTest, LateSamplesAreMergedOnRead) {
  write_run(kNow, 10);
  write_run(kNow - 20 * kHour, 4 * 240);
  const AppendCounts counts = write_run(kNow - kHour, 100);
  EXPECT_EQ(counts.late, 100U);
  expect_numbered(10 + 4 * 240 + 100);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 10U + 4 * 240 + 100);
}

TEST_F(IngesterTest, SpecialValuesSurvive) {
  storage_.write("cliente-a", "m", {{kNow, stale_mark()}});
  EXPECT_TRUE(is_stale_mark(storage_.read("cliente-a", "m").at(kNow)));
  EXPECT_EQ(storage_.write("cliente-a", "m", {{kNow, stale_mark()}}).repeats, 1U);
}

TEST_F(IngesterTest, ARestartLosesAndDoublesNothing) {
  write_run(kNow - 5 * kHour, 5 * 240);
  write_run(kNow - 9 * kHour, 100);
  storage_.restart();
  expect_numbered(5 * 240 + 100);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 5U * 240 + 100);
  EXPECT_EQ(write_run(kNow - 5 * kHour, 5 * 240).repeats, 5U * 240);
  EXPECT_EQ(write_run(kNow, 1).stored, 1U);
  storage_.restart();
  expect_numbered(5 * 240 + 100 + 1);
}

TEST_F(IngesterTest, AKillLosesAndDoublesNothing) {
  write_run(kNow - 5 * kHour, 5 * 240);
  storage_.kill_and_restart();
  expect_numbered(5 * 240);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), 5U * 240);
}

TEST_F(IngesterTest, WhatIsOverIsWrittenOutAndTheLogLetGo) {
  write_run(kNow, 10);
  write_run(kNow - kHour, 5);
  EXPECT_GT(storage_.ingester().stats().log.cursors.at(0).queued_records, 0U);
  storage_.advance(std::chrono::hours(3));
  EXPECT_EQ(storage_.ingester().stats().log.cursors.at(0).queued_records, 0U);
  expect_numbered(15);
  storage_.advance(std::chrono::hours(4));
  EXPECT_EQ(storage_.heads().stats().open_series, 0U);
  expect_numbered(15);
  EXPECT_EQ(write_run(kNow, 10).repeats, 10U);
  storage_.restart();
  expect_numbered(15);
}

TEST_F(IngesterTest, HistogramsAreKeptAsTheyCame) {
  storage_.write_histograms("cliente-a", "h", {{kNow, "one"}, {kNow + kStep, "two"}});
  const AppendCounts late = storage_.write_histograms("cliente-a", "h", {{kNow - kStep, "zero"}});
  EXPECT_EQ(late.late, 1U);
  EXPECT_EQ(storage_.write_histograms("cliente-a", "h", {{kNow, "one"}}).histogram_repeats, 1U);
  EXPECT_EQ(storage_.write_histograms("cliente-a", "h", {{kNow, "other"}}).conflicts, 1U);
  storage_.restart();
  storage_.advance(std::chrono::hours(4));
  const SeriesData data = storage_.read_raw("cliente-a", "h");
  ASSERT_EQ(data.histograms.size(), 3U);
  EXPECT_EQ(data.histograms[0].encoded, "zero");
  EXPECT_EQ(data.histograms[1].encoded, "one");
  EXPECT_EQ(data.histograms[2].encoded, "two");
}

// The store beside a map: whatever is written, in whatever order, with whatever restarts between,
// is there once, the first value of a time.
TEST_F(IngesterTest, BehavesAsAMapUnderAnyWrites) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned bound) { return random() % bound; };
  std::map<TimestampMs, double> model;
  TimestampMs clock = kNow - 30 * kHour;
  for (int round = 0; round < 150; ++round) {
    TimestampMs time = below(4) == 0 ? kNow - 30 * kHour + below(20) * kHour : clock;
    std::vector<Sample> samples;
    for (unsigned i = 0; i < 1 + below(120); ++i) {
      samples.push_back({time, static_cast<double>(below(3))});
      time += kStep * (1 + (below(30) == 0 ? below(500) : 0));
    }
    clock = std::max(clock, std::min(time, kNow));
    AppendCounts expected;
    for (const Sample& sample : samples) {
      const auto [at, is_added] = model.emplace(sample.timestamp_ms, sample.value);
      ++(is_added ? expected.stored
                  : (at->second == sample.value ? expected.repeats : expected.conflicts));
    }
    const AppendCounts counts = storage_.write("cliente-a", "m", samples);
    ASSERT_EQ(counts.stored, expected.stored) << round;
    ASSERT_EQ(counts.repeats, expected.repeats) << round;
    ASSERT_EQ(counts.conflicts, expected.conflicts) << round;
    if (below(40) == 0) storage_.restart();
    if (below(40) == 0) storage_.kill_and_restart();
    if (below(20) == 0) storage_.advance(std::chrono::minutes(20));
  }
  EXPECT_EQ(storage_.read("cliente-a", "m"), model);
  EXPECT_EQ(storage_.stored_values("cliente-a", "m"), model.size());
}

}  // namespace
}  // namespace vigia::storage
