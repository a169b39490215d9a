#include "services/storage/heads/histogram_rows.hpp"

#include <gtest/gtest.h>

#include "services/storage/heads/head.hpp"
#include "services/storage/histograms/same_histogram.hpp"
#include "services/storage/histograms/testing/random_histograms.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::heads {
namespace {

using histograms::is_same_histogram;
using histograms::NativeHistogram;
using histograms::ResetHint;
using histograms::testing::RandomSeries;
using histograms::testing::Timed;

std::vector<chunk::HistogramSample> random_samples(std::uint32_t seed, std::size_t count) {
  std::vector<chunk::HistogramSample> samples;
  for (const Timed& one : RandomSeries(seed).make(count)) {
    samples.push_back({one.time_ms, histograms::encode_histogram(one.histogram, one.time_ms)});
  }
  return samples;
}

ResetHint hint_of(const chunk::HistogramSample& sample) {
  return histograms::decode_histogram(sample.encoded).value().reset_hint;
}

chunk::HistogramSample counter(TimestampMs time_ms, std::int64_t count) {
  NativeHistogram histogram;
  histogram.count = static_cast<std::uint64_t>(count);
  histogram.positive.spans = {{0, 1}};
  histogram.positive.deltas = {count};
  return {time_ms, histograms::encode_histogram(histogram, time_ms)};
}

TEST(HistogramRowsTest, RowsHoldWhatWasGiven) {
  for (std::uint32_t seed = 1; seed < 10; ++seed) {
    const auto samples = random_samples(seed, 900);
    const auto rows = histogram_rows({7}, samples, 3);
    for (const store::ChunkRow& row : rows) {
      EXPECT_TRUE(store::check_row(row, Resolution::kRaw).has_value());
      EXPECT_TRUE(store::is_histogram_chunk(row.encoding));
      EXPECT_EQ(row.version, 3U);
    }
    const auto merged = store::merge_rows(rows).value();
    ASSERT_EQ(merged.histograms.size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(merged.histograms[i].timestamp_ms, samples[i].timestamp_ms);
      EXPECT_TRUE(is_same_histogram(merged.histograms[i].encoded, samples[i].encoded));
    }
  }
}

// Written again after a kill they replace what lies there.
TEST(HistogramRowsTest, TheSameListGivesTheSameRows) {
  const auto samples = random_samples(5, 500);
  const auto first = histogram_rows({7}, samples, 0);
  const auto again = histogram_rows({7}, samples, 0);
  ASSERT_EQ(first.size(), again.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].data, again[i].data);
}

TEST(HistogramRowsTest, WhatIsNoHistogramStaysAsItCame) {
  const auto rows = histogram_rows({7}, {counter(1, 1), {2, "no histogram"}, counter(3, 2)}, 0);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].encoding, store::kIntegerHistograms);
  EXPECT_EQ(rows[1].encoding, store::Encoding::kHistograms);
  const auto merged = store::merge_rows(rows).value();
  ASSERT_EQ(merged.histograms.size(), 3U);
  EXPECT_EQ(merged.histograms[1].encoded, "no histogram");
}

// A chunk says of all but its first that there is no reset; a late one between two of them may be
// one, and who takes the word for it counts too little.
TEST(HistogramRowsTest, ALateHistogramTakesTheWordOnResetsBack) {
  auto rows = histogram_rows({7}, {counter(10, 5), counter(20, 6), counter(30, 7)}, 0);
  ASSERT_EQ(rows.size(), 1U);
  for (store::ChunkRow& late : histogram_rows({7}, {counter(15, 90), counter(20, 91)}, 4)) {
    rows.push_back(std::move(late));
  }
  const auto merged = store::merge_rows(rows).value();
  ASSERT_EQ(merged.histograms.size(), 4U);
  const ResetHint hints[] = {ResetHint::kUnknown, ResetHint::kUnknown, ResetHint::kUnknown,
                             ResetHint::kNo};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(hint_of(merged.histograms[i]), hints[i]) << i;
  EXPECT_TRUE(is_same_histogram(merged.histograms[2].encoded, counter(20, 6).encoded));
}

// What earlier programs stored lies beside it.
TEST(HistogramRowsTest, RowsOfMessagesAndChunksAreOneList) {
  auto rows = pack_rows({7}, {counter(10, 5), counter(20, 6)}, 0);
  EXPECT_EQ(rows.front().encoding, store::Encoding::kHistograms);
  for (store::ChunkRow& more : histogram_rows({7}, {counter(30, 7), counter(40, 8)}, 0)) {
    rows.push_back(std::move(more));
  }
  const auto merged = store::merge_rows(rows).value();
  ASSERT_EQ(merged.histograms.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto number = static_cast<std::int64_t>(i);
    EXPECT_TRUE(is_same_histogram(merged.histograms[i].encoded, counter(0, 5 + number).encoded));
  }
}

TEST(HistogramRowsTest, AnotherEncodingIsDamage) {
  store::ChunkRow row{{7}, 1, 1, 0, static_cast<store::Encoding>(4), "x"};
  EXPECT_FALSE(store::histograms_of(row).has_value());
  row.encoding = store::kFloatHistograms;
  EXPECT_FALSE(store::histograms_of(row).has_value());
}

}  // namespace
}  // namespace vigia::storage::heads
