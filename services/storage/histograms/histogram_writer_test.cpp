#include "services/storage/histograms/histogram_writer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "libs/base/hex.hpp"
#include "services/storage/histograms/histogram_chunk.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/histograms/testing/random_histograms.hpp"

namespace vigia::storage::histograms {
namespace {

using testing::Counts;
using testing::counts_of;
using testing::is_same;
using testing::RandomSeries;
using testing::Timed;

std::vector<WireChunk> packed(const std::vector<Timed>& series) {
  std::vector<chunk::HistogramSample> samples;
  for (const Timed& one : series) {
    samples.push_back({one.time_ms, encode_histogram(one.histogram, one.time_ms)});
  }
  std::uint64_t damaged = 0;
  auto chunks = wire_chunks({}, samples, damaged);
  RC_ASSERT(damaged == 0U);
  return chunks;
}

std::vector<Timed> read_chunk(const WireChunk& chunk) {
  HistogramReader reader(chunk.encoding == WireEncoding::kFloatHistogram, chunk.data);
  std::vector<Timed> all;
  for (Timed one; reader.next(one.time_ms, one.histogram);) all.push_back(one);
  RC_ASSERT(!reader.is_damaged());
  RC_ASSERT(all.size() == reader.samples());
  return all;
}

bool has_less(const Counts& before, const Counts& after) {
  return std::any_of(before.begin(), before.end(), [&](const auto& one) {
    const auto found = after.find(one.first);
    return found == after.end() || found->second < one.second;
  });
}

// By what a counter is, not by how the writer looks.
bool is_reset(const NativeHistogram& before, const NativeHistogram& after) {
  if (after.is_stale()) return false;
  return after.count < before.count || after.float_count < before.float_count ||
         after.zero_count < before.zero_count || after.float_zero_count < before.float_zero_count ||
         has_less(counts_of(before.positive), counts_of(after.positive)) ||
         has_less(counts_of(before.negative), counts_of(after.negative));
}

RC_GTEST_PROP(HistogramWriterTest, WhatIsReadIsWhatWasWritten, (std::uint32_t seed)) {
  RandomSeries random(seed);
  const auto series = random.make(1 + static_cast<std::size_t>(random.below(300)));
  auto next = series.begin();
  for (const WireChunk& chunk : packed(series)) {
    const auto read = read_chunk(chunk);
    RC_ASSERT(!read.empty() && read.size() <= 120U);
    RC_ASSERT(chunk.first_ms == read.front().time_ms && chunk.last_ms == read.back().time_ms);
    for (std::size_t i = 0; i < read.size(); ++i, ++next) {
      RC_ASSERT(next != series.end());
      RC_ASSERT(read[i].time_ms == next->time_ms);
      RC_ASSERT(is_same(read[i].histogram, next->histogram));
      const bool is_gauge = next->histogram.reset_hint == ResetHint::kGauge;
      if (read[i].histogram.is_stale()) continue;
      RC_ASSERT(is_gauge == (read[i].histogram.reset_hint == ResetHint::kGauge));
      if (i == 0 || is_gauge) continue;
      RC_ASSERT(next->histogram.reset_hint != ResetHint::kYes);
      RC_ASSERT(!is_reset(read[i - 1].histogram, read[i].histogram));
    }
  }
  RC_ASSERT(next == series.end());
}

// Stored chunks are read, put together with late ones and packed again: nothing may drift.
RC_GTEST_PROP(HistogramWriterTest, AChunkThatIsReadPacksToTheSameBytes, (std::uint32_t seed)) {
  RandomSeries random(seed);
  for (const WireChunk& chunk : packed(random.make(150))) {
    HistogramWriter writer;
    for (const Timed& one : read_chunk(chunk)) {
      RC_ASSERT(writer.append(one.time_ms, one.histogram));
    }
    std::string expected = chunk.data;
    const std::string again = writer.take();
    expected[2] = again[2];  // what came before is not known here
    RC_ASSERT(to_hex(again) == to_hex(expected));
  }
}

TEST(HistogramWriterTest, ManyBucketsEndAChunk) {
  HistogramWriter writer;
  NativeHistogram wide;
  const std::size_t buckets = HistogramWriter::kCellsMax / 4;
  wide.positive.spans = {{0, static_cast<std::uint32_t>(buckets)}};
  wide.positive.deltas.assign(buckets, 0);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(writer.append(i, wide));
  EXPECT_FALSE(writer.append(4, wide));
  EXPECT_EQ(writer.samples(), 4U);
  const std::string chunk = writer.take();
  EXPECT_TRUE(writer.append(4, wide));
  EXPECT_EQ(HistogramReader(false, chunk).header(), ResetHeader::kUnknown);
  EXPECT_EQ(HistogramReader(false, writer.take()).header(), ResetHeader::kNoReset);
}

// Gaps of spans are numbers of 32 bits, and two layouts may be further apart than one can say.
TEST(HistogramWriterTest, BucketsThatNoSpanReachesEndAChunk) {
  HistogramWriter writer;
  NativeHistogram gauge;
  gauge.reset_hint = ResetHint::kGauge;
  gauge.positive.deltas = {1};
  gauge.positive.spans = {{std::numeric_limits<std::int32_t>::min(), 1}};
  EXPECT_TRUE(writer.append(1, gauge));
  gauge.positive.spans = {{std::numeric_limits<std::int32_t>::max(), 1}};
  EXPECT_FALSE(writer.append(2, gauge));
}

// No number in the bytes makes it hold more than they are long.
TEST(HistogramReaderTest, MoreBucketsThanBitsAreDamage) {
  HistogramWriter writer;
  NativeHistogram histogram;
  histogram.positive.spans = {{0, 60'000}};
  histogram.positive.deltas.assign(60'000, 0);
  ASSERT_TRUE(writer.append(1, histogram));
  const std::string whole = writer.take();
  EXPECT_FALSE(HistogramReader(false, whole).is_damaged());
  EXPECT_GT(HistogramReader(false, whole).message_bytes_max(), 600'000U);
  const HistogramReader cut(false, std::string_view(whole).substr(0, 20));
  EXPECT_TRUE(cut.is_damaged());
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_FALSE(unpack_histograms(false, std::string_view(whole).substr(0, size)).has_value());
  }
}

}  // namespace
}  // namespace vigia::storage::histograms
