#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/chunk/whole_chunk.hpp"

namespace vigia::chunk {
namespace {

std::string pack(const std::vector<Sample>& samples) {
  ChunkWriter writer;
  for (const Sample& sample : samples) writer.append(sample);
  return std::string(writer.bytes());
}

void expect_round_trip(const std::vector<Sample>& samples) {
  const std::string bytes = pack(samples);
  EXPECT_EQ(write_chunk(samples), bytes);
  const auto read = read_samples(bytes);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  ASSERT_EQ(read->size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ((*read)[i].timestamp_ms, samples[i].timestamp_ms) << i;
    EXPECT_TRUE(is_same_value((*read)[i].value, samples[i].value)) << i;
  }
}

TEST(ChunkTest, AnEmptyWriterHasNoBytes) {
  EXPECT_EQ(ChunkWriter().bytes(), "");
  EXPECT_EQ(write_chunk({}), "");
  EXPECT_TRUE(read_samples("")->empty());
}

TEST(ChunkTest, KeepsEverySpecialValueBitForBit) {
  std::vector<Sample> samples;
  TimestampMs time = 1'764'000'000'000;
  for (const double value :
       {0.0, -0.0, 1.0, std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), stale_mark(),
        std::bit_cast<double>(kNormalNanBits), std::numeric_limits<double>::quiet_NaN(),
        std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}) {
    samples.push_back({time += 15'000, value});
  }
  expect_round_trip(samples);
}

TEST(ChunkTest, KeepsEveryStepOfTimeAtTheEdgesOfTheBuckets) {
  std::vector<Sample> samples;
  TimestampMs time = 0;
  for (const unsigned bits : {14U, 17U, 20U}) {
    const std::int64_t half = std::int64_t{1} << (bits - 1);
    for (const std::int64_t change : {half - 1, half, half + 1, -half - 1, -half, -half + 1}) {
      time += 10'000'000 + change;
      samples.push_back({time, 1.5});
      time += 10'000'000;
      samples.push_back({time, 1.5});
    }
  }
  expect_round_trip(samples);
}

TEST(ChunkTest, KeepsTimeStampsAtTheEndsOfTheRange) {
  expect_round_trip({{std::numeric_limits<TimestampMs>::min(), 1},
                     {std::numeric_limits<TimestampMs>::max(), 2},
                     {0, 3},
                     {std::numeric_limits<TimestampMs>::min(), 4}});
}

TEST(ChunkTest, AlignedConstantSamplesTakeTwoBitsEach) {
  std::vector<Sample> samples;
  for (int i = 0; i < 242; ++i) samples.push_back({1'764'000'000'000 + i * 15'000, 42});
  const std::size_t two = pack({samples[0], samples[1]}).size();
  EXPECT_LE(pack(samples).size(), two + 240 * 2 / 8 + 1);
}

TEST(ChunkTest, HoldsAsManySamplesAsItsHeadCanSay) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < kSamplesMax; ++i) {
    samples.push_back({static_cast<TimestampMs>(i), static_cast<double>(i % 7)});
  }
  const std::string bytes = pack(samples);
  EXPECT_EQ(read_samples(bytes)->size(), kSamplesMax);
  EXPECT_EQ(write_chunk(samples), bytes);
}

TEST(ChunkTest, ResetStartsANewChunk) {
  ChunkWriter writer;
  writer.append({1000, 1});
  writer.append({2000, 2});
  writer.reset();
  writer.append({5000, 7});
  EXPECT_EQ(writer.bytes(), pack({{5000, 7}}));
  EXPECT_EQ(writer.first_ms(), 5000);
  EXPECT_EQ(writer.last_ms(), 5000);
  EXPECT_EQ(writer.last_value(), 7);
}

TEST(ChunkTest, EveryCutIsFoundDamaged) {
  const std::string whole = pack({{1000, 1}, {2000, 1.7}, {3500, -3}, {3501, 1e300}});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto read = read_samples(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(read.has_value()) << size;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

RC_GTEST_PROP(ChunkProperty, AnySamplesComeBackBitForBit,
              (const std::vector<std::pair<std::int64_t, std::uint64_t>>& input)) {
  std::vector<Sample> samples;
  for (const auto& [time, bits] : input) samples.push_back({time, std::bit_cast<double>(bits)});
  RC_ASSERT(write_chunk(samples) == pack(samples));
  const auto read = read_samples(pack(samples));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    RC_ASSERT((*read)[i].timestamp_ms == samples[i].timestamp_ms);
    RC_ASSERT(is_same_value((*read)[i].value, samples[i].value));
  }
}

RC_GTEST_PROP(ChunkProperty, SteadySeriesComeBackBitForBit, ()) {
  const auto start = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000);
  const auto changes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 20));
  std::vector<Sample> samples;
  double value = 50;
  std::int64_t time = start;
  for (const int change : changes) {
    time += 15'000 + (change % 3 == 0 ? change * change * change : 0);
    value += change / 8.0;
    samples.push_back({time, value});
  }
  RC_ASSERT(write_chunk(samples) == pack(samples));
  const auto read = read_samples(pack(samples));
  RC_ASSERT(read.has_value());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    RC_ASSERT((*read)[i].timestamp_ms == samples[i].timestamp_ms);
    RC_ASSERT((*read)[i].value == samples[i].value);
  }
}

}  // namespace
}  // namespace vigia::chunk
