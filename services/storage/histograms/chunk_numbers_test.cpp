#include "services/storage/histograms/chunk_numbers.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::histograms {
namespace {

using chunk::BitReader;
using chunk::BitWriter;

std::string_view bytes_of(const BitWriter& writer) {
  return {reinterpret_cast<const char*>(writer.bytes().data()), writer.bytes().size()};
}

TEST(ChunkNumbersTest, WholeNumbersAtTheEndsOfEachWidth) {
  for (const unsigned width : {1U, 3U, 6U, 9U, 12U, 18U, 25U, 56U, 63U}) {
    const std::int64_t half = std::int64_t{1} << (width - 1);
    for (const std::int64_t value : {half - 1, half, half + 1, -half, -half - 1, 1 - half,
                                     std::numeric_limits<std::int64_t>::min()}) {
      BitWriter writer;
      write_signed(writer, value);
      write_unsigned(writer, static_cast<std::uint64_t>(value));
      BitReader reader(bytes_of(writer));
      std::int64_t read = 0;
      std::uint64_t read_unsigned_value = 0;
      ASSERT_TRUE(read_signed(reader, read));
      ASSERT_TRUE(read_unsigned(reader, read_unsigned_value));
      EXPECT_EQ(read, value);
      EXPECT_EQ(read_unsigned_value, static_cast<std::uint64_t>(value));
    }
  }
}

// A number costs what Prometheus' costs: one width less, and its readers see another number.
TEST(ChunkNumbersTest, WidthsAreThoseOfPrometheus) {
  const std::pair<std::int64_t, const char*> known[] = {
      {0, "00"}, {4, "a0"}, {-3, "a8"}, {5, "c280"}, {-4, "de00"}, {32, "d000"}, {33, "e108"}};
  for (const auto& [value, bytes] : known) {
    BitWriter writer;
    write_signed(writer, value);
    EXPECT_EQ(to_hex(bytes_of(writer)), bytes) << value;
  }
}

TEST(ChunkNumbersTest, ThresholdsAndBoundsReadAsTheyWereWritten) {
  for (const double value : {0.0, 0x1p-243, 0x1p-244, 0x1p-128, 0x1p10, 0x1p11, 0.001, 1.0 / 3,
                             0.005, 33'554.43, 33'554.431, 40'000.0, 2.5, 1e300}) {
    BitWriter writer;
    write_zero_threshold(writer, value);
    write_bound(writer, value);
    write_bound(writer, -value);
    BitReader reader(bytes_of(writer));
    double read = 7;
    ASSERT_TRUE(read_zero_threshold(reader, read));
    EXPECT_EQ(read, value);
    ASSERT_TRUE(read_bound(reader, read));
    EXPECT_EQ(read, value);
    ASSERT_TRUE(read_bound(reader, read));
    EXPECT_EQ(read, -value);
  }
}

TEST(ChunkNumbersTest, FloatsKeepTheirBits) {
  const double values[] = {1.5, 1.5, 1.75, -3, stale_mark(), std::nan(""), 0, -0.0, 1e-308, 1e308};
  BitWriter writer;
  XorNumber written;
  written.begin(writer, values[0]);
  for (std::size_t i = 1; i < std::size(values); ++i) written.write(writer, values[i]);
  BitReader reader(bytes_of(writer));
  XorNumber read;
  ASSERT_TRUE(read.begin(reader));
  for (std::size_t i = 1; i < std::size(values); ++i) {
    ASSERT_TRUE(read.read(reader));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read.value()), std::bit_cast<std::uint64_t>(values[i]));
  }
}

TEST(ChunkNumbersTest, AWindowThatNobodyOpenedIsDamage) {
  BitWriter writer;
  writer.write_bits(0, 64);
  writer.write_bits(0b10, 2);
  writer.write_bits(0, 64);
  BitReader reader(bytes_of(writer));
  XorNumber number;
  ASSERT_TRUE(number.begin(reader));
  EXPECT_FALSE(number.read(reader));
}

}  // namespace
}  // namespace vigia::storage::histograms
