#include "libs/chunk/packed_chunk.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/chunk/decimal_form.hpp"

namespace vigia::chunk {
namespace {

constexpr TimestampMs kStart = 1'764'000'000'000;

std::vector<Sample> on_grid(const std::vector<double>& values) {
  std::vector<Sample> samples;
  for (const double value : values) {
    samples.push_back({kStart + static_cast<TimestampMs>(samples.size()) * 15'000, value});
  }
  return samples;
}

bool comes_back(const std::vector<Sample>& samples, const std::string& packed) {
  const auto read = unpack_samples(packed, samples[0].timestamp_ms);
  if (!read.has_value() || read->size() != samples.size()) return false;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if ((*read)[i].timestamp_ms != samples[i].timestamp_ms) return false;
    if (!is_same_value((*read)[i].value, samples[i].value)) return false;
  }
  return true;
}

std::size_t xor_bytes(const std::vector<Sample>& samples) {
  ChunkWriter writer;
  for (const Sample& sample : samples) writer.append(sample);
  return writer.bytes().size();
}

TEST(PackedChunkTest, DecimalFractionsTakeAFractionOfTheXorChunk) {
  std::vector<double> cpu_seconds;
  for (int i = 0; i < 240; ++i) cpu_seconds.push_back((349'857 + i * 700 + i % 13 * 31) / 100.0);
  const auto samples = on_grid(cpu_seconds);
  const auto packed = pack_samples(samples);
  ASSERT_TRUE(packed.has_value());
  EXPECT_TRUE(comes_back(samples, *packed));
  EXPECT_LT(packed->size() * 4, xor_bytes(samples));
}

TEST(PackedChunkTest, PagesCostNoBitForTheirZeros) {
  std::vector<double> pages;
  std::vector<double> bytes;
  for (int i = 0; i < 240; ++i) {
    pages.push_back(400'000 + i * 7919 % 503);
    bytes.push_back(pages.back() * 4096);
  }
  EXPECT_LE(pack_samples(on_grid(bytes))->size(), pack_samples(on_grid(pages))->size() + 4);
  EXPECT_TRUE(comes_back(on_grid(bytes), pack_samples(on_grid(bytes)).value()));
}

TEST(PackedChunkTest, AConstantSeriesIsItsFirstValue) {
  EXPECT_LE(pack_samples(on_grid(std::vector<double>(240, 27'587'723'264)))->size(), 14U);
}

TEST(PackedChunkTest, WhatIsNoShortDecimalFractionStaysAnXorChunk) {
  for (const double value :
       {-0.0, std::nan(""), stale_mark(), std::numeric_limits<double>::infinity(), 1.0 / 3.0, 1e300,
        9'223'372'036'854'775'808.0, std::nextafter(0.7, 0.0)}) {
    EXPECT_FALSE(pack_samples(on_grid({1, value, 2})).has_value()) << value;
  }
  EXPECT_FALSE(pack_samples({}).has_value());
}

// Durations of programs: nanoseconds, and milliseconds that were multiplied by 0.001.
TEST(PackedChunkTest, DurationsTakeAFractionOfTheXorChunk) {
  std::vector<double> nanoseconds;
  std::vector<double> milliseconds;
  for (int i = 0; i < 240; ++i) {
    nanoseconds.push_back((54'958 + i * 7'919 % 40'009) / 1e9);
    milliseconds.push_back((3'076'165 + i * 2'000 + i * 7'919 % 1'009) * 0.001);
  }
  for (const auto& values : {nanoseconds, milliseconds}) {
    const auto samples = on_grid(values);
    const auto packed = pack_samples(samples);
    ASSERT_TRUE(packed.has_value());
    EXPECT_TRUE(comes_back(samples, *packed));
    EXPECT_LT(packed->size() * 2, xor_bytes(samples));
  }
}

TEST(PackedChunkTest, JumpsAndTimesOffTheGridComeBack) {
  const std::vector<Sample> samples = {
      {kStart, 9007199254740992.0}, {kStart + 1, -9007199254740992.0}, {kStart + 9'000'000, 0},
      {kStart + 9'000'001, 1},      {kStart + 9'000'002, 1},           {INT64_MAX, 1}};
  EXPECT_TRUE(comes_back(samples, pack_samples(samples).value()));
  EXPECT_TRUE(comes_back({{kStart, 7}}, pack_samples({{kStart, 7}}).value()));
}

TEST(PackedChunkTest, EveryCutIsFoundDamaged) {
  const auto packed = pack_samples(on_grid({1.5, 1.75, 80, 80.25, 3})).value();
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const auto read = unpack_samples(std::string_view(packed).substr(0, size), kStart);
    ASSERT_FALSE(read.has_value()) << size;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

std::size_t taken_with_lower_counts(std::string packed) {
  const auto whole = static_cast<unsigned char>(packed[0]);
  EXPECT_LT(whole, 0x80) << "a count of one byte";
  std::size_t taken = 0;
  for (int count = 0; count < whole; ++count) {
    packed[0] = static_cast<char>(count);
    taken += unpack_samples(packed, kStart).has_value() ? 1 : 0;
  }
  return taken;
}

TEST(PackedChunkTest, ACountThatSaysTooLittleIsFound) {
  std::vector<double> decimals;
  std::vector<double> durations;
  for (int i = 0; i < 100; ++i) {
    decimals.push_back((349'857 + i * 700 + i % 13 * 31) / 100.0);
    durations.push_back((3'076'165 + i * 2'000 + i * 7'919 % 1'009) * 0.001);
  }
  for (auto values : {decimals, durations}) {
    values.back() = 77;  // no zero at the end, which padding could be taken for
    EXPECT_EQ(taken_with_lower_counts(pack_samples(on_grid(values)).value()), 0U);
    std::vector<Sample> off_the_grid = on_grid(values);
    for (std::size_t i = 0; i < off_the_grid.size(); ++i) {
      off_the_grid[i].timestamp_ms += static_cast<TimestampMs>(i * 7'919 % 11);
    }
    // Then what is left of the times is read as values: they may end where they should by chance.
    EXPECT_LE(taken_with_lower_counts(pack_samples(off_the_grid).value()), 2U);
  }
  // Those of the test below.
  EXPECT_EQ(taken_with_lower_counts(from_hex("05b0ea01a01ac020aa5c403ffcaa8c").value()), 0U);
  EXPECT_EQ(taken_with_lower_counts(from_hex("02b0ea01f900008128").value()), 0U);
}

TEST(PackedChunkTest, WhatLiesBehindTheLastSampleIsDamage) {
  const std::string packed = pack_samples(on_grid({1.5, 1.75, 80, 80.25, 3})).value();
  EXPECT_FALSE(unpack_samples(packed + '\0', kStart).has_value());
  EXPECT_FALSE(unpack_samples(packed + "more", kStart).has_value());
  std::string filled = pack_samples(on_grid({7, 7})).value();
  ASSERT_TRUE(unpack_samples(filled, kStart).has_value());
  filled.back() = static_cast<char>(filled.back() | 1);
  EXPECT_FALSE(unpack_samples(filled, kStart).has_value());
}

// docs/formats/chunk.md: a change here is a change of what lies on disks.
TEST(PackedChunkTest, BytesLookAsTheFormatPageSays) {
  EXPECT_EQ(to_hex(pack_samples(on_grid({1.5, 1.75, 2.25, 2.25, 9})).value()),
            "05b0ea01a01ac020aa5c403ffcaa8c");
  EXPECT_EQ(to_hex(pack_samples({{0, 8}, {10, 8}, {30, 8}}).value()), "031406d0000840");
  EXPECT_EQ(to_hex(pack_samples(on_grid({0.000000001, 0.000000004})).value()),
            "02b0ea01f900008128");
  EXPECT_EQ(to_hex(pack_samples(on_grid({3082086 * 0.001, 3082086 * 0.001})).value()),
            "02b0ea01f34033277e00a0");
}

RC_GTEST_PROP(PackedChunkProperty, WhatIsPackedComesBackBitForBit, ()) {
  const auto decimals = *rc::gen::inRange(0, 7);
  const auto shift = *rc::gen::inRange(0, 14);
  const auto spread = *rc::gen::element(1LL, 30LL, 5'000LL, 1'000'000'000LL);
  const auto steps =
      *rc::gen::container<std::vector<long long>>(rc::gen::inRange<long long>(-spread, spread));
  std::vector<Sample> samples;
  long long number = 0;
  TimestampMs time = kStart;
  for (const long long step : steps) {
    number += step * (1LL << shift);
    time += 15'000 + (step % 5 == 4 ? step % 1'000 : 0);
    samples.push_back({time, static_cast<double>(number) / std::pow(10, decimals)});
  }
  const auto packed = pack_samples(samples);
  RC_ASSERT(packed.has_value() == !samples.empty());
  if (packed.has_value()) RC_ASSERT(comes_back(samples, *packed));
}

RC_GTEST_PROP(PackedChunkProperty, EveryFormComesBackBitForBit, ()) {
  const auto decimals = *rc::gen::inRange(0U, kFormDecimalsMax + 1);
  const auto making = *rc::gen::inRange(0, 4);
  RC_PRE(making != 2 || decimals >= kThousandDecimals);
  const auto spread = *rc::gen::element(100LL, 1'000'000LL, 1'000'000'000'000LL);
  const auto numbers = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<long long>>(rc::gen::inRange<long long>(-spread, spread)));
  std::vector<double> values;
  with_value_of({decimals, static_cast<Making>(making)}, [&](auto value_of) {
    for (const long long number : numbers) values.push_back(value_of(number));
  });
  const auto samples = on_grid(values);
  const auto packed = pack_samples(samples);
  RC_ASSERT(packed.has_value());
  RC_ASSERT(comes_back(samples, *packed));
}

RC_GTEST_PROP(PackedChunkProperty, AnySamplesComeBackOrAreLeft,
              (const std::vector<std::pair<std::int64_t, std::uint64_t>>& input)) {
  std::vector<Sample> samples;
  for (const auto& [time, bits] : input) samples.push_back({time, std::bit_cast<double>(bits)});
  const auto packed = pack_samples(samples);
  if (packed.has_value()) RC_ASSERT(comes_back(samples, *packed));
}

}  // namespace
}  // namespace vigia::chunk
