#include "services/storage/read/series_reader.hpp"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/heads/testing/append_now.hpp"
#include "services/storage/read/head_rows.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/test_numbers.hpp"

namespace vigia::storage::read {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr TimestampMs kStart = 1'764'043'200'000;
constexpr TimestampMs kHour = 3'600'000;
constexpr heads::Epoch kEpoch = 1;

// Questions counted; one series may be damaged.
class AskedStore final : public store::WatchedChunks {
 public:
  using store::WatchedChunks::WatchedChunks;
  std::size_t questions = 0;

  std::unique_ptr<store::ChunkCursor> read(const CustomerId& customer,
                                           std::span<const store::SeriesKey> series,
                                           const store::ChunkQuery& query) override {
    ++questions;
    return store::WatchedChunks::read(customer, series, query);
  }
};

class BatchReadTest : public ::testing::Test {
 protected:
  // In the store, from an hour ago; each series its own value.
  void store(std::uint64_t series, std::string data = "",
             Resolution resolution = Resolution::kRaw) {
    if (data.empty()) {
      chunk::ChunkWriter writer;
      writer.append({kStart - kHour, static_cast<double>(series)});
      data = std::string(writer.bytes());
    }
    const store::ClosedChunk closed{"",
                                    {{series},
                                     kStart - kHour,
                                     kStart - kHour,
                                     store::kInOrder,
                                     store::Encoding::kFloats,
                                     std::move(data)},
                                    resolution};
    ASSERT_TRUE(store::put_now(store_, customer_, {&closed, 1}).has_value());
  }
  void append(std::uint64_t series) {
    const Sample now{kStart, static_cast<double>(series)};
    ASSERT_TRUE(heads::append_now(heads_, {{1}, {series}, true}, {now}, kEpoch).has_value());
  }
  void append_histograms(std::uint64_t series, std::size_t count, std::size_t bytes) {
    std::vector<chunk::HistogramSample> histograms;
    for (std::size_t i = 0; i < count; ++i) {
      histograms.push_back({kStart + static_cast<TimestampMs>(i), std::string(bytes, 'h')});
    }
    ASSERT_TRUE(heads::append_histograms_now(heads_, {{1}, {series}, true}, histograms, kEpoch)
                    .has_value());
  }
  static std::vector<store::SeriesKey> keys(std::uint64_t first, std::uint64_t last) {
    std::vector<store::SeriesKey> keys;
    for (std::uint64_t id = first; id <= last; ++id) keys.push_back({"", {id}});
    return keys;
  }
  // The values of the next series, in time order.
  std::vector<double> next(BatchRead& batch) {
    const auto data = batch.next(memory_).value();
    std::vector<double> values;
    const auto samples = samples_of(data.chunks, 0, INT64_MAX).value();
    for (const Sample& sample : samples) values.push_back(sample.value);
    return values;
  }

  const CustomerId customer_ = CustomerId::parse("c-1").value();
  ManualClock clock_{kStart * 1'000'000};
  store::MemoryColdStore memory_store_;
  AskedStore store_{memory_store_.chunks()};
  TestNumbers numbers_;
  heads::StoredSeries stored_series_{store_, numbers_};
  heads::HeadSet heads_{stored_series_, clock_};
  SeriesReader reader_{heads_, store_};
  lanes::CustomerShares shares_{"answers", 1U << 30U};
  lanes::AnswerMemory memory_{shares_, "c-1"};
};

TEST_F(BatchReadTest, ManySeriesAreOneQuestion) {
  for (std::uint64_t id = 1; id <= 60; ++id) {
    if (id % 3 != 0) store(id);  // the others lie in no row
    if (id % 2 == 0) append(id);
  }
  store_.questions = 0;
  BatchRead batch = reader_.batch(customer_, keys(1, 60), {0, INT64_MAX}, memory_).value();
  for (std::uint64_t id = 1; id <= 60; ++id) {
    EXPECT_EQ(batch.left(), 61 - id);
    const std::size_t samples = (id % 3 != 0 ? 1U : 0U) + (id % 2 == 0 ? 1U : 0U);
    EXPECT_EQ(next(batch), std::vector<double>(samples, static_cast<double>(id))) << id;
  }
  EXPECT_EQ(batch.left(), 0U);
  EXPECT_EQ(store_.questions, 1U);
}

TEST_F(BatchReadTest, TheOrderIsThatOfTheQuestionAndOneMayStandTwice) {
  store(1);
  store(2);
  BatchRead batch =
      reader_
          .batch(customer_, {{"", {2}}, {"", {1}}, {"", {9}}, {"", {2}}}, {0, INT64_MAX}, memory_)
          .value();
  EXPECT_THAT(next(batch), ElementsAre(2));
  EXPECT_THAT(next(batch), ElementsAre(1));
  EXPECT_THAT(next(batch), IsEmpty());
  EXPECT_THAT(next(batch), ElementsAre(2));
}

// What closes while the batch is read is in the heads as they were and in the store: once, and not
// missed.
TEST_F(BatchReadTest, WhatMovesOnMeanwhileIsReadOnce) {
  append(1);
  append(2);
  BatchRead batch = reader_.batch(customer_, keys(1, 2), {0, INT64_MAX}, memory_).value();
  EXPECT_THAT(next(batch), ElementsAre(1));
  ASSERT_TRUE(heads_.sweep({kEpoch, kStart, true}).has_value());
  EXPECT_THAT(next(batch), ElementsAre(2));
}

TEST_F(BatchReadTest, OnlyTheRangeIsRead) {
  store(1);
  append(1);
  BatchRead batch = reader_.batch(customer_, keys(1, 1), {kStart - 1, kStart}, memory_).value();
  EXPECT_THAT(next(batch), ElementsAre(1));
}

// The edge of what is kept lies in it, so that it has to be looked into.
TEST_F(BatchReadTest, ARowAtTheEdgeThatCannotBeReadCostsItselfAlone) {
  store(1, "not a chunk at all");
  append(1);
  auto batch = reader_
                   .batch(customer_, keys(1, 1),
                          {0, INT64_MAX, Resolution::kRaw, kStart - kHour + 1}, memory_)
                   .value();
  const auto data = batch.next(memory_).value();
  EXPECT_EQ(data.unreadable_rows, 1U);
  const auto samples = samples_of(data.chunks, 0, INT64_MAX).value();
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].timestamp_ms, kStart);
}

TEST_F(BatchReadTest, OneResolutionIsReadAndWhatIsOpenIsRaw) {
  store(1);
  append(1);
  store(2, "", Resolution::kHour);
  append(2);
  const auto values = [&](Resolution resolution) {
    BatchRead batch =
        reader_.batch(customer_, keys(1, 2), {0, INT64_MAX, resolution}, memory_).value();
    return std::vector<std::vector<double>>{next(batch), next(batch)};
  };
  EXPECT_THAT(values(Resolution::kRaw), ElementsAre(ElementsAre(1, 1), ElementsAre(2)));
  EXPECT_THAT(values(Resolution::kHour), ElementsAre(IsEmpty(), ElementsAre(2)));
  EXPECT_THAT(values(Resolution::kDay), ElementsAre(IsEmpty(), IsEmpty()));
}

// 64 series of large histograms were copied before any of it counted: 2 GiB for one query.
TEST_F(BatchReadTest, WhatABatchHasOpenIsHeldAndEndsIt) {
  for (std::uint64_t id = 1; id <= 8; ++id) append_histograms(id, 2, 256U << 10U);
  {
    BatchRead batch = reader_.batch(customer_, keys(1, 8), {0, INT64_MAX}, memory_).value();
    EXPECT_EQ(batch.left(), 2U);  // the first has half a MiB, with the second it is a MiB and more
    const std::size_t held = memory_.used();
    EXPECT_GE(held, 1U << 20U);
    EXPECT_LE(held, 5U << 20U);  // they are taken apart
    EXPECT_EQ(batch.next(memory_).value().histograms.size(), 2U);
    EXPECT_EQ(batch.next(memory_).value().histograms.size(), 2U);
    EXPECT_EQ(memory_.used(), held);  // once, not again when they are read
  }
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_F(BatchReadTest, OneSeriesMayHaveMoreOpenThanABatch) {
  append(1);
  append_histograms(2, 40, 256U << 10U);
  append(3);
  BatchRead batch = reader_.batch(customer_, keys(1, 3), {0, INT64_MAX}, memory_).value();
  EXPECT_EQ(batch.left(), 2U);
  EXPECT_GE(memory_.used(), 10U << 20U);
  EXPECT_THAT(next(batch), ElementsAre(1));
  EXPECT_EQ(batch.next(memory_).value().histograms.size(), 40U);
}

TEST_F(BatchReadTest, WhatIsOpenBeyondTheShareIsRefused) {
  append_histograms(1, 40, 256U << 10U);
  lanes::CustomerShares shares("answers", 16U << 20U);
  lanes::AnswerMemory memory(shares, "c-1");
  const auto refused = reader_.batch(customer_, keys(1, 1), {0, INT64_MAX}, memory);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(memory.used(), 0U);
}

TEST_F(BatchReadTest, WhatIsOpenOutOfTheRangeIsNotHeld) {
  for (std::uint64_t id = 1; id <= 8; ++id) append_histograms(id, 2, 256U << 10U);
  const BatchRead batch = reader_.batch(customer_, keys(1, 8), {0, kStart - 1}, memory_).value();
  EXPECT_EQ(batch.left(), 8U);
  EXPECT_EQ(memory_.used(), 0U);
}

// One more instance on the same store, of which everything is given at once.
class OtherHeads final : public OpenTalk {
 public:
  explicit OtherHeads(const heads::HeadSet& heads) : heads_(heads) {}
  Result<OpenAnswer> ask(const CustomerId& /*customer*/, const OpenQuestion& question,
                         lanes::AnswerMemory& /*memory*/) override {
    OpenAnswer answer{{}, question.series.size()};
    for (const store::SeriesId id : question.series) {
      for (store::ChunkRow& row : rows_of(id, heads_.read(id))) answer.rows.push_back(row);
    }
    return answer;
  }
  bool lacks_some() const override { return false; }

 private:
  const heads::HeadSet& heads_;
};

TEST_F(BatchReadTest, WhatAnotherHasOpenIsMergedWithItsOwnAndTheStores) {
  heads::HeadSet other(stored_series_, clock_);
  store(1);
  append(1);
  const heads::SeriesRef one{{1}, {1}, true};
  const std::vector<Sample> floats = {{kStart - 3'000, 5}, {kStart, 1}, {kStart + 1'000, 7}};
  ASSERT_TRUE(heads::append_now(other, one, floats, kEpoch).has_value());
  // Late, of which one is in the store already.
  ASSERT_TRUE(heads::append_now(other, one, {{kStart - kHour, 1}, {kStart - 2'000, 6}}, kEpoch));
  append_histograms(1, 2, 100);
  const std::vector<chunk::HistogramSample> histograms = {{kStart + 1, std::string(100, 'h')},
                                                          {kStart + 2, std::string(100, 'h')}};
  ASSERT_TRUE(heads::append_histograms_now(other, one, histograms, kEpoch).has_value());
  const std::vector<SelectedSeries> series = {{customer_, {1}, {}}};
  ElsewhereLook look(std::make_unique<OtherHeads>(other), memory_);
  ASSERT_TRUE(look.prepare(series, 0, 0, INT64_MAX).has_value());
  const SeriesReader reader = reader_.with(look);
  BatchRead batch = reader.batch(customer_, keys(1, 1), {0, INT64_MAX}, memory_).value();
  const auto data = batch.next(memory_).value();
  std::vector<std::pair<TimestampMs, double>> found;
  const auto samples = samples_of(data.chunks, 0, INT64_MAX).value();
  for (const Sample& sample : samples) {
    found.emplace_back(sample.timestamp_ms - kStart, sample.value);
  }
  EXPECT_THAT(found, ElementsAre(Pair(-kHour, 1), Pair(-3'000, 5), Pair(-2'000, 6), Pair(0, 1),
                                 Pair(1'000, 7)));
  EXPECT_EQ(data.histograms.size(), 3U);
  const store::SeriesKey asked{"", {1}};
  const ReadRange range{kStart + 2, kStart + 2};
  EXPECT_TRUE(reader.has_histograms(customer_, {&asked, 1}, range, memory_).value());
  EXPECT_FALSE(reader_.has_histograms(customer_, {&asked, 1}, range, memory_).value());
}

}  // namespace
}  // namespace vigia::storage::read
