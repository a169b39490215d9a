#include "libs/chunk/residual_code.hpp"

#include <algorithm>
#include <bit>

namespace vigia::chunk {
namespace {

constexpr unsigned kLowBitsMax = 63;

// Bits of a number that has no zero bit before it.
std::uint64_t plain_bits(std::uint64_t number, unsigned low_bits) {
  const std::uint64_t high = number >> low_bits;
  if (high < kCodeUnaryMax) return high + 1 + low_bits;
  return kCodeUnaryMax + kCodeWidthBits + static_cast<unsigned>(std::bit_width(number));
}

std::uint64_t total_bits(const std::vector<std::uint64_t>& numbers, const ResidualCode& code) {
  std::uint64_t bits = 0;
  for (const std::uint64_t number : numbers) {
    if (!code.has_zero_bit) {
      bits += plain_bits(number, code.low_bits);
    } else {
      bits += number == 0 ? 1 : 1 + plain_bits(number - 1, code.low_bits);
    }
  }
  return bits;
}

}  // namespace

/// Rice codes: the best number of low bits is near the average width, so three around it are tried
/// by counting, without writing a bit.
ChosenCode choose_code(const std::vector<std::uint64_t>& numbers) {
  std::uint64_t widths = 0;
  std::uint64_t zeros = 0;
  for (const std::uint64_t number : numbers) {
    widths += static_cast<unsigned>(std::bit_width(number));
    zeros += number == 0 ? 1 : 0;
  }
  if (zeros == numbers.size()) return {{0, false}, numbers.size()};
  ChosenCode best{{}, UINT64_MAX};
  const auto try_around = [&](std::uint64_t width, bool has_zero_bit) {
    for (std::uint64_t low = width > 2 ? width - 2 : 0; low <= width; ++low) {
      const ResidualCode code{static_cast<unsigned>(std::min<std::uint64_t>(low, kLowBitsMax)),
                              has_zero_bit};
      const std::uint64_t bits = total_bits(numbers, code);
      if (bits < best.bits) best = {code, bits};
    }
  };
  try_around(widths / numbers.size(), false);
  // A bit for zero pays where zeros are many.
  if (zeros * 4 > numbers.size()) try_around(widths / (numbers.size() - zeros), true);
  return best;
}

void write_code(BitWriter& bits, const ResidualCode& code) {
  bits.write_bits(code.low_bits, kCodeWidthBits);
  bits.write_bit(code.has_zero_bit);
}

void write_number(BitWriter& bits, const ResidualCode& code, std::uint64_t number) {
  if (code.has_zero_bit) {
    bits.write_bit(number != 0);
    if (number == 0) return;
    --number;
  }
  const std::uint64_t high = number >> code.low_bits;
  if (high < kCodeUnaryMax) {  // `high` ones, a zero, the low bits
    const auto ones = static_cast<unsigned>(high);
    bits.write_bits(((std::uint64_t{1} << ones) - 1) << 1U, ones + 1);
    bits.write_bits(number, code.low_bits);
    return;
  }
  const auto width = static_cast<unsigned>(std::bit_width(number));
  bits.write_bits((1U << kCodeUnaryMax) - 1, kCodeUnaryMax);
  bits.write_bits(width - 1, kCodeWidthBits);
  bits.write_bits(number, width);
}

bool read_code(BitReader& bits, ResidualCode& code) {
  std::uint64_t low_bits = 0;
  if (!bits.read_bits(kCodeWidthBits, low_bits) || !bits.read_bit(code.has_zero_bit)) return false;
  code.low_bits = static_cast<unsigned>(low_bits);
  return true;
}

}  // namespace vigia::chunk
