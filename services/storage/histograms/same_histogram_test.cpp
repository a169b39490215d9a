#include "services/storage/histograms/same_histogram.hpp"

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/histograms/histogram_writer.hpp"
#include "services/storage/histograms/testing/random_histograms.hpp"

namespace vigia::storage::histograms {
namespace {

NativeHistogram simple() {
  NativeHistogram histogram;
  histogram.count = 3;
  histogram.sum = 2.5;
  histogram.positive.spans = {{2, 2}};
  histogram.positive.deltas = {1, 1};
  return histogram;
}

std::string message_of(const NativeHistogram& histogram, TimestampMs time_ms = 1) {
  return encode_histogram(histogram, time_ms);
}

TEST(SameHistogramTest, HowItIsSaidIsNoDifference) {
  const std::string one = message_of(simple());
  NativeHistogram other = simple();
  other.positive.spans = {{2, 1}, {0, 0}, {0, 2}};
  other.positive.deltas = {1, 1, -2};  // the last one is empty
  other.negative.spans = {{7, 1}};
  other.negative.deltas = {0};
  other.reset_hint = ResetHint::kNo;
  EXPECT_TRUE(is_same_histogram(one, message_of(other, 9)));
}

TEST(SameHistogramTest, WhatItSaysIs) {
  const std::string one = message_of(simple());
  NativeHistogram gauge = simple();
  gauge.reset_hint = ResetHint::kGauge;
  NativeHistogram moved = simple();
  moved.positive.spans = {{3, 2}};
  NativeHistogram sum = simple();
  sum.sum = -2.5;
  NativeHistogram schema = simple();
  schema.schema = 1;
  for (const auto& other : {gauge, moved, sum, schema}) {
    EXPECT_FALSE(is_same_histogram(one, message_of(other)));
  }
  EXPECT_FALSE(is_same_histogram(one, "no histogram"));
  EXPECT_TRUE(is_same_histogram("no histogram", "no histogram"));
}

// A sender repeats the message; what lies in the store went through a chunk.
TEST(SameHistogramTest, ARepeatOfWhatAChunkKeepsIsKnown) {
  for (std::uint32_t seed = 1; seed < 20; ++seed) {
    testing::RandomSeries random(seed);
    HistogramWriter writer;
    std::vector<std::string> sent;
    const auto check = [&] {
      const bool is_float = writer.is_float();
      const auto kept = unpack_histograms(is_float, writer.take()).value();
      ASSERT_EQ(kept.size(), sent.size());
      for (std::size_t i = 0; i < kept.size(); ++i) {
        EXPECT_TRUE(is_same_histogram(kept[i].encoded, sent[i])) << to_hex(sent[i]);
      }
      sent.clear();
    };
    for (const testing::Timed& one : random.make(200)) {
      const bool is_other = !sent.empty() && writer.is_float() != one.histogram.is_float;
      if (is_other || !writer.append(one.time_ms, one.histogram)) {
        check();
        ASSERT_TRUE(writer.append(one.time_ms, one.histogram));
      }
      sent.push_back(message_of(one.histogram, one.time_ms));
    }
    check();
  }
}

}  // namespace
}  // namespace vigia::storage::histograms
