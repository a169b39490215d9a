#include "services/storage/histograms/histogram_chunk.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/hex.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {
namespace {

using testing::HasSubstr;

// Two buckets of schema 3 with 1 and 2 observations, one at zero.
std::string integer_histogram(std::uint64_t count, double sum = 5, double zero_threshold = 0.5,
                              std::int32_t schema = 3) {
  std::string bytes;
  protozero::pbf_writer message(bytes);
  message.add_uint64(1, count);
  message.add_double(3, sum);
  message.add_sint32(4, schema);
  message.add_double(5, zero_threshold);
  message.add_uint64(6, 1);
  {
    protozero::pbf_writer span(message, 11);
    span.add_sint32(1, -2);
    span.add_uint32(2, 2);
  }
  const std::vector<std::int64_t> deltas = {1, 1};
  message.add_packed_sint64(12, deltas.begin(), deltas.end());
  return bytes;
}

std::string why_refused(const std::string& bytes) {
  const auto histogram = decode_histogram(bytes);
  if (!histogram) return histogram.error().message;
  const auto checked = check_histogram(*histogram);
  return checked ? "" : checked.error().message;
}

// An integer where a double belongs, and the like: what it gave was undefined, and debug builds
// ended.
TEST(NativeHistogramTest, AFieldOfAnotherWireTypeIsNoHistogram) {
  for (const std::uint32_t tag :
       {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U, 11U, 12U, 13U, 14U, 16U}) {
    std::string bytes;
    protozero::pbf_writer(bytes).add_fixed32(tag, 7);
    EXPECT_THAT(why_refused(bytes), HasSubstr("not a histogram")) << tag;
  }
  EXPECT_EQ(why_refused(integer_histogram(4)), "");
}

// D-F10: hot refused what cold took.
TEST(NativeHistogramTest, WhatPrometheusRefusesIsRefused) {
  EXPECT_EQ(why_refused(integer_histogram(4)), "");
  EXPECT_THAT(why_refused(integer_histogram(5)), HasSubstr("hold 4 observations, its count is 5"));
  EXPECT_EQ(why_refused(integer_histogram(5, std::nan(""))), "");
  EXPECT_THAT(why_refused(integer_histogram(3, std::nan(""))), HasSubstr("its count is 3"));
  EXPECT_EQ(why_refused(integer_histogram(9, stale_mark())), "");
  EXPECT_THAT(why_refused("\\x08"), HasSubstr("not a histogram"));
  std::string without_span;
  const std::vector<double> counts = {1.5};
  protozero::pbf_writer message(without_span);
  message.add_double(2, 1.5);
  message.add_packed_double(13, counts.begin(), counts.end());
  EXPECT_THAT(why_refused(without_span), HasSubstr("need 0 buckets, it has 1"));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Two buckets of the given bounds, with 1 and 2 observations.
std::string custom_histogram(const std::vector<double>& bounds, std::int32_t offset = 0) {
  std::string bytes;
  protozero::pbf_writer message(bytes);
  message.add_uint64(1, 3);
  message.add_double(3, 5);
  message.add_sint32(4, -53);
  {
    protozero::pbf_writer span(message, 11);
    span.add_sint32(1, offset);
    span.add_uint32(2, 2);
  }
  const std::vector<std::int64_t> deltas = {1, 1};
  message.add_packed_sint64(12, deltas.begin(), deltas.end());
  message.add_packed_double(16, bounds.begin(), bounds.end());
  return bytes;
}

// A query of Prometheus over one of these does not end, and 20 of them stop all rules.
TEST(NativeHistogramTest, AZeroThresholdThatIsNoWidthIsRefused) {
  for (const double threshold : {std::nan(""), kInfinity, -kInfinity, -1.0, -1e-300}) {
    EXPECT_THAT(why_refused(integer_histogram(4, 5, threshold)), HasSubstr("zero_threshold"));
    EXPECT_EQ(why_refused(integer_histogram(4, stale_mark(), threshold)), "");
  }
  for (const double threshold : {0.0, -0.0, 1e-128, 1e300}) {
    EXPECT_EQ(why_refused(integer_histogram(4, 5, threshold)), "") << threshold;
  }
}

TEST(NativeHistogramTest, ASchemaThatIsNoneIsRefused) {
  for (const std::int32_t schema : {-4, 8}) {
    EXPECT_EQ(why_refused(integer_histogram(4, 5, 0.5, schema)), "");
  }
  for (const std::int32_t schema : {-5, 9, 100, -52, -54}) {
    EXPECT_THAT(why_refused(integer_histogram(4, 5, 0.5, schema)), HasSubstr("schema"));
  }
}

TEST(NativeHistogramTest, CustomBucketsThatDoNotFitTheirBoundsAreRefused) {
  EXPECT_EQ(why_refused(custom_histogram({1, 2})), "");
  EXPECT_EQ(why_refused(custom_histogram({1})), "");
  EXPECT_THAT(why_refused(custom_histogram({})), HasSubstr("reach 2 custom buckets, it has 1"));
  EXPECT_THAT(why_refused(custom_histogram({1, 2}, 2)), HasSubstr("reach 4"));
  EXPECT_THAT(why_refused(custom_histogram({1, 2}, -1)), HasSubstr("goes back"));
  EXPECT_THAT(why_refused(custom_histogram({2, 2})), HasSubstr("grow"));
  EXPECT_THAT(why_refused(custom_histogram({1, std::nan("")})), HasSubstr("grow"));
  EXPECT_THAT(why_refused(custom_histogram({1, kInfinity})), HasSubstr("infinite"));
  EXPECT_THAT(why_refused(integer_histogram(4, 5, 0, -53)), HasSubstr("zero or negative"));
}

// The bits by hand: 16 samples = 1, flags 0, threshold 0.5 = 243, schema 3, one span (length 2,
// offset -2), no span, time 1, count 4, zero 1, sum 5, deltas 1 and 1.
TEST(HistogramChunkTest, AnIntegerHistogramIsPackedAsPrometheusPacksIt) {
  std::uint64_t damaged = 0;
  const auto chunks = wire_chunks({}, {{1, integer_histogram(4)}}, damaged);
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0].encoding, WireEncoding::kHistogram);
  EXPECT_EQ(chunks[0].first_ms, 1);
  // 0001 00 f3 | 10 011 | 10 001 | 10 010 | 10 110 | 0 | 10 001 | 10 100 | 10 001 | sum | 10 001 x
  // 2
  EXPECT_EQ(to_hex(chunks[0].data), "000100f39c656469140140000000000008c4");
  EXPECT_EQ(damaged, 0U);
}

// Both lists were written, and what came after them was read at the wrong place.
TEST(HistogramChunkTest, BucketsOfTheOtherKindAreNoneOfIt) {
  std::string both = integer_histogram(4);
  protozero::pbf_writer message(both);
  const std::vector<double> counts = {1, 2, 3};
  message.add_packed_double(13, counts.begin(), counts.end());
  std::uint64_t damaged = 0;
  const auto chunks = wire_chunks({}, {{1, both}}, damaged);
  const auto plain = wire_chunks({}, {{1, integer_histogram(4)}}, damaged);
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(to_hex(chunks[0].data), to_hex(plain[0].data));
  EXPECT_EQ(why_refused(both), "");
}

TEST(HistogramChunkTest, FloatsAndHistogramsStandInTheOrderOfTheirTimes) {
  std::uint64_t damaged = 0;
  const auto chunks = wire_chunks({{1, 10}, {2, 20}, {4, 40}, {6, 60}},
                                  {{3, integer_histogram(4)},
                                   {4, integer_histogram(4)},
                                   {5, "no histogram"},
                                   {7, integer_histogram(4)}},
                                  damaged);
  ASSERT_EQ(chunks.size(), 4U);
  EXPECT_EQ(damaged, 1U);
  EXPECT_EQ(chunks[0].encoding, WireEncoding::kXor);
  EXPECT_EQ(chunks[1].encoding, WireEncoding::kHistogram);
  EXPECT_EQ(chunks[2].first_ms, 4);
  EXPECT_EQ(chunks[2].last_ms, 6);
  EXPECT_EQ(chunks[3].first_ms, 7);
  for (std::size_t i = 1; i < chunks.size(); ++i) {
    EXPECT_GT(chunks[i].first_ms, chunks[i - 1].last_ms);
  }
}

}  // namespace
}  // namespace vigia::storage::histograms
