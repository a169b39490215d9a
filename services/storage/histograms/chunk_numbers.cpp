#include "services/storage/histograms/chunk_numbers.hpp"

#include <bit>
#include <cmath>
#include <iterator>

namespace vigia::storage::histograms {
namespace {

using chunk::BitReader;
using chunk::BitWriter;

// As many ones as there are narrower widths, a zero (not behind the last), the bits.
constexpr unsigned kWidths[] = {0, 3, 6, 9, 12, 18, 25, 56, 64};
constexpr unsigned kWidest = std::size(kWidths) - 1;

// Exponents of the powers of two that have a byte of their own, as frexp() gives them.
constexpr int kExponentMin = -242;
constexpr int kExponentMax = 11;
constexpr int kExponentBias = 243;
constexpr std::uint64_t kInFull = 255;

constexpr double kThousandthsMax = 33'554'430;  // what four bytes hold, less one

constexpr unsigned kLeadingMax = 31;  // five bits say how many

void write_wide(BitWriter& writer, unsigned index, std::uint64_t value) {
  const std::uint64_t ones = (std::uint64_t{1} << index) - 1;
  if (index == kWidest) {
    writer.write_bits(ones, index);
  } else {
    writer.write_bits(ones << 1U, index + 1);
  }
  writer.write_bits(value, kWidths[index]);
}

// Gives the width of what was read too.
bool read_wide(BitReader& reader, std::uint64_t& value, unsigned& width) {
  unsigned index = 0;
  if (!reader.read_ones(kWidest, index)) return false;
  width = kWidths[index];
  return reader.read_bits(width, value);
}

}  // namespace

void write_unsigned(BitWriter& writer, std::uint64_t value) {
  unsigned index = 0;
  while (index < kWidest && value >> kWidths[index] != 0) ++index;
  write_wide(writer, index, value);
}

// A width of n bits holds from -(2^(n-1) - 1) to 2^(n-1).
void write_signed(BitWriter& writer, std::int64_t value) {
  unsigned index = value == 0 ? 0 : 1;
  while (index != 0 && index < kWidest) {
    const auto half = std::int64_t{1} << (kWidths[index] - 1);
    if (value > -half && value <= half) break;
    ++index;
  }
  write_wide(writer, index, static_cast<std::uint64_t>(value));
}

bool read_unsigned(BitReader& reader, std::uint64_t& value) {
  unsigned width = 0;
  return read_wide(reader, value, width);
}

bool read_signed(BitReader& reader, std::int64_t& value) {
  std::uint64_t bits = 0;
  unsigned width = 0;
  if (!read_wide(reader, bits, width)) return false;
  if (width > 0 && width < 64) {
    const std::uint64_t half = std::uint64_t{1} << (width - 1);
    if (bits > half) bits -= half << 1U;
  }
  value = static_cast<std::int64_t>(bits);
  return true;
}

void write_double(BitWriter& writer, double value) {
  writer.write_bits(std::bit_cast<std::uint64_t>(value), 64);
}

bool read_double(BitReader& reader, double& value) {
  std::uint64_t bits = 0;
  if (!reader.read_bits(64, bits)) return false;
  value = std::bit_cast<double>(bits);
  return true;
}

void write_zero_threshold(BitWriter& writer, double threshold) {
  int exponent = 0;
  const double fraction = std::frexp(threshold, &exponent);
  if (threshold == 0) {
    writer.write_bits(0, 8);
  } else if (fraction == 0.5 && exponent >= kExponentMin && exponent <= kExponentMax) {
    writer.write_bits(static_cast<std::uint64_t>(exponent + kExponentBias), 8);
  } else {
    writer.write_bits(kInFull, 8);
    write_double(writer, threshold);
  }
}

bool read_zero_threshold(BitReader& reader, double& threshold) {
  std::uint64_t byte = 0;
  if (!reader.read_bits(8, byte)) return false;
  if (byte == kInFull) return read_double(reader, threshold);
  threshold = byte == 0 ? 0 : std::ldexp(0.5, static_cast<int>(byte) - kExponentBias);
  return true;
}

void write_bound(BitWriter& writer, double bound) {
  const double thousandths = bound * 1000;
  const bool is_short =
      thousandths >= 0 && thousandths <= kThousandthsMax && std::round(thousandths) / 1000 == bound;
  if (is_short) {
    write_unsigned(writer, static_cast<std::uint64_t>(std::round(thousandths)) + 1);
    return;
  }
  writer.write_bit(false);
  write_double(writer, bound);
}

bool read_bound(BitReader& reader, double& bound) {
  std::uint64_t thousandths = 0;
  if (!read_unsigned(reader, thousandths)) return false;
  if (thousandths == 0) return read_double(reader, bound);
  bound = static_cast<double>(thousandths - 1) / 1000;
  return true;
}

void XorNumber::begin(BitWriter& writer, double value) {
  bits_ = std::bit_cast<std::uint64_t>(value);
  writer.write_bits(bits_, 64);
}

bool XorNumber::begin(BitReader& reader) { return reader.read_bits(64, bits_); }

void XorNumber::write(BitWriter& writer, double value) {
  const std::uint64_t change = std::bit_cast<std::uint64_t>(value) ^ bits_;
  bits_ ^= change;
  if (change == 0) return writer.write_bit(false);
  auto leading = static_cast<unsigned>(std::countl_zero(change));
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (leading > kLeadingMax) leading = kLeadingMax;
  if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
    writer.write_bits(0b10, 2);
    return writer.write_bits(change >> trailing_, 64U - leading_ - trailing_);
  }
  leading_ = static_cast<std::uint8_t>(leading);
  trailing_ = static_cast<std::uint8_t>(trailing);
  const unsigned significant = 64 - leading - trailing;
  writer.write_bits(0b11, 2);
  writer.write_bits(leading, 5);
  writer.write_bits(significant, 6);  // 64 overflows to 0, and 0 cannot occur
  writer.write_bits(change >> trailing, significant);
}

bool XorNumber::read_window(BitReader& reader) {
  std::uint64_t leading = 0;
  std::uint64_t significant = 0;
  if (!reader.read_bits(5, leading) || !reader.read_bits(6, significant)) return false;
  if (significant == 0) significant = 64;
  if (leading + significant > 64) return false;
  leading_ = static_cast<std::uint8_t>(leading);
  trailing_ = static_cast<std::uint8_t>(64 - leading - significant);
  return true;
}

bool XorNumber::read(BitReader& reader) {
  bool is_other = false;
  if (!reader.read_bit(is_other)) return false;
  if (!is_other) return true;
  bool has_window = false;
  if (!reader.read_bit(has_window)) return false;
  if (has_window && !read_window(reader)) return false;
  if (leading_ == kNoWindow) return false;
  std::uint64_t change = 0;
  if (!reader.read_bits(64U - leading_ - trailing_, change)) return false;
  bits_ ^= change << trailing_;
  return true;
}

double XorNumber::value() const { return std::bit_cast<double>(bits_); }

}  // namespace vigia::storage::histograms
