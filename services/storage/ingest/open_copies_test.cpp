#include "services/storage/ingest/open_copies.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/ingest/testing/copied_ingester.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OpenCopiesTest : public testing::Test {
 protected:
  store::OpenSlot released_at(heads::Epoch oldest, store::OpenSlot now) {
    copies_.release(oldest, now);
    return rows_.released();
  }

  TestNumbers numbers_;
  ToldRows rows_;
  OpenCopies copies_{rows_, numbers_};
};

TEST(OpenRowsOf, EachCustomerHasRowsOfHisOwnThatNameNoNumber) {
  IngestBatch batch;
  batch.series.push_back({{1}, {7}, true, {{1000, 1.5}}, {}});
  batch.series.push_back({{2}, {5}, false, {}, {{1000, "hist"}}});
  batch.series.push_back({{1}, {9}, false, {{2000, 2.5}}, {{3000, "both"}}});
  const auto rows = open_rows_of(batch, TestNumbers()).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].customer.text(), "c-1");
  EXPECT_EQ(rows[1].customer.text(), "c-2");
  const IngestBatch first = IngestBatch::decode(rows[0].body).value();
  EXPECT_EQ(first.items(), 3U);
  for (const SeriesBatch& series : first.series) EXPECT_EQ(series.customer.value, 0U);
  EXPECT_EQ(first.series.at(0).id.value, 7U);
  EXPECT_EQ(first.series.at(1).id.value, 9U);
  EXPECT_EQ(IngestBatch::decode(rows[1].body)->series.at(0).histograms.at(0).encoded, "hist");
}

TEST(OpenRowsOf, ALargeBatchIsSeveralRowsWithEachSampleOnce) {
  constexpr std::int64_t kSamples = 100'000;
  IngestBatch batch;
  for (std::uint64_t series = 1; series <= 2; ++series) {
    SeriesBatch& one = batch.series.emplace_back();
    one.customer.value = 1;
    one.id.value = series;
    for (std::int64_t i = 0; i < kSamples; ++i) one.samples.push_back({i, static_cast<double>(i)});
  }
  SeriesBatch& wide = batch.series.emplace_back();
  wide.customer.value = 1;
  wide.id.value = 3;
  wide.histograms = {{1, std::string(1U << 20U, 'h')}, {2, "h"}};
  const auto rows = open_rows_of(batch, TestNumbers()).value();
  std::map<std::uint64_t, std::int64_t> next;
  std::size_t above = 0;
  for (const store::OpenRow& row : rows) {
    above += row.body.size() > (256U << 10U) ? 1 : 0;
    const IngestBatch part = IngestBatch::decode(row.body).value();
    for (const SeriesBatch& series : part.series) {
      for (const Sample& sample : series.samples) {
        EXPECT_EQ(sample.timestamp_ms, next[series.id.value]++);
      }
      next[series.id.value] += static_cast<std::int64_t>(series.histograms.size());
    }
  }
  EXPECT_THAT(next, ElementsAre(testing::Pair(1, kSamples), testing::Pair(2, kSamples),
                                testing::Pair(3, 2)));
  EXPECT_EQ(above, 1U) << "the histogram that is larger alone";
}

TEST_F(OpenCopiesTest, ASlotIsNeededUntilAllThatCameInItIsStored) {
  {
    const OpenCopies::UnderWay early(copies_, 10);
    EXPECT_EQ(released_at(heads::kNoEpoch, 12), 10U) << "not in the heads yet";
    // It reached the heads two minutes after its copy was sent.
    copies_.applied(early.slot(), 12);
  }
  EXPECT_EQ(released_at(12, 15), 10U) << "its samples are open";
  copies_.applied(14, 14);
  EXPECT_EQ(released_at(13, 15), 14U);
  EXPECT_EQ(released_at(heads::kNoEpoch, 15), 15U) << "all is stored";
}

TEST_F(OpenCopiesTest, NothingComesInASlotThatWasReleased) {
  EXPECT_EQ(released_at(heads::kNoEpoch, 20), 20U);
  const OpenCopies::UnderWay late(copies_, 19);  // its thread slept between two lines
  EXPECT_EQ(late.slot(), 20U);
}

TEST_F(OpenCopiesTest, OfBeforeTheStartNothingIsReleasedWhileItIsOpen) {
  copies_.applied(0, 8);  // replayed
  copies_.applied(9, 9);
  EXPECT_EQ(released_at(8, 12), 0U);
  EXPECT_EQ(released_at(9, 12), 9U);
}

TEST(SlotClockTest, GoesByTheWallAndNeverFallsNorStandsStill) {
  constexpr auto kMinute = std::chrono::minutes(1);
  const auto set_wall = [](ManualClock& clock, std::int64_t minutes) {
    clock.set_wall_ns(minutes * 60'000'000'000);
  };
  ManualClock clock(100 * 60'000'000'000 + 59'000'000'000);
  SlotClock slots;
  slots.start(100, clock);
  EXPECT_EQ(slots.now(clock), 100U);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(slots.now(clock), 101U);
  clock.advance(kMinute);
  EXPECT_EQ(slots.now(clock), 102U) << "and not one ahead";
  set_wall(clock, 50);
  EXPECT_EQ(slots.now(clock), 102U);
  clock.advance(3 * kMinute);
  EXPECT_EQ(slots.now(clock), 105U);
  set_wall(clock, 500);
  EXPECT_EQ(slots.now(clock), 500U);
  set_wall(clock, 106);
  clock.advance(kMinute);
  EXPECT_EQ(slots.now(clock), 501U);
}

/// On a folder that tests spoil.
class CopiedLogTest : public CopiedIngesterTest {
 protected:
  void write(std::uint64_t series) {
    CopiedIngesterTest::write({{{1}, {series}, false, {{kNowMs, 1.5}, {kNowMs + 1, 2.5}}, {}}});
  }
  /// The one segment that has records.
  std::string segment() const {
    std::string largest;
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/wal")) {
      if (entry.path().extension() == ".log" && entry.file_size() > bytes) {
        largest = entry.path();
        bytes = entry.file_size();
      }
    }
    return largest;
  }

  static constexpr auto kMinute = static_cast<store::OpenSlot>(kNowMs / 60'000);
};

using testing::Pair;

TEST_F(CopiedLogTest, AStartTellsOfTheNewestThatItsLogHolds) {
  start();
  write(1);
  stop();
  start();
  EXPECT_THAT(rows_.replays(), ElementsAre(Pair(0, true), Pair(kMinute, true)));
}

TEST_F(CopiedLogTest, AStartWithAnEmptiedLogTellsOfNothing) {
  start();
  write(1);
  stop();
  std::filesystem::remove_all(folder_.path() + "/wal");
  start();
  EXPECT_THAT(rows_.replays(), ElementsAre(Pair(0, true), Pair(0, true)));
}

TEST_F(CopiedLogTest, AStartWithADamagedLogTellsThatItIsNotWhole) {
  start();
  write(1);
  const auto first = std::filesystem::file_size(segment());
  write(2);
  stop();
  {
    std::fstream file(segment(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(first - 4));
    file << "?!?!";
  }
  start();
  EXPECT_THAT(rows_.replays(), ElementsAre(Pair(0, true), Pair(kMinute, false)));
}

class AnswerOfBothTest : public testing::Test {
 protected:
  AnswerOfBoth answer_{[this](const Result<heads::AppendCounts>& counts) {
    said_.push_back(counts ? std::to_string(counts->stored) : counts.error().message);
  }};
  static heads::AppendCounts stored(std::uint64_t count) {
    heads::AppendCounts counts;
    counts.stored = count;
    return counts;
  }
  std::vector<std::string> said_;
};

TEST_F(AnswerOfBothTest, ComesWithTheLaterOfTheTwo) {
  answer_.kept({});
  EXPECT_THAT(said_, IsEmpty());
  answer_.applied(stored(3));
  EXPECT_THAT(said_, ElementsAre("3"));
}

TEST_F(AnswerOfBothTest, SaysWhatFailed) {
  answer_.applied(stored(3));
  EXPECT_THAT(said_, IsEmpty());
  answer_.kept(fail(ErrorCode::kUnavailable, "no quorum"));
  EXPECT_THAT(said_, ElementsAre("no quorum"));
}

}  // namespace
}  // namespace vigia::storage::ingest
