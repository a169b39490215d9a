// Small signed numbers in few bits: the code of a packed chunk's steps. Format:
// docs/formats/chunk.md.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/chunk/bit_reader.hpp"
#include "libs/chunk/bit_writer.hpp"

namespace vigia::chunk {

/// How the numbers of one list are written.
struct ResidualCode {
  unsigned low_bits = 0;      ///< written as they are, below the unary part; at most 63
  bool has_zero_bit = false;  ///< zero is one bit; the others are one less behind another
  auto operator<=>(const ResidualCode&) const = default;
};

/// Numbers below zero and above by turns: 0, -1, 1, -2, …
inline std::uint64_t zigzag(std::uint64_t value) { return (value << 1U) ^ (0 - (value >> 63U)); }
inline std::uint64_t unzigzag(std::uint64_t value) { return (value >> 1U) ^ (0 - (value & 1U)); }

struct ChosenCode {
  ResidualCode code;
  std::uint64_t bits = 0;  ///< that the list takes with it
};
/// The code in which these numbers (zigzag) take least, of those worth trying.
ChosenCode choose_code(const std::vector<std::uint64_t>& numbers);

void write_code(BitWriter& bits, const ResidualCode& code);
void write_number(BitWriter& bits, const ResidualCode& code, std::uint64_t number);
bool read_code(BitReader& bits, ResidualCode& code);

/// From so many ones on a number is written in full: a rare jump must not cost a bit for each of
/// its units.
inline constexpr unsigned kCodeUnaryMax = 12;
inline constexpr unsigned kCodeWidthBits = 6;  ///< of such a number's width, less one

/// False where the bits end early. A reader of damaged bytes must end: the unary part stops at
/// kCodeUnaryMax whatever follows. As many ones are the mark of a number written in full, so no
/// number that is written in unary has them. Stands here because it is run for every number that is
/// read, and is put into its loop.
[[gnu::always_inline]] inline bool read_number(BitReader& bits, const ResidualCode& code,
                                               std::uint64_t& number) {
  if (code.has_zero_bit) {
    bool is_other = false;
    number = 0;
    if (!bits.read_bit(is_other)) return false;
    if (!is_other) return true;
  }
  unsigned ones = 0;
  if (!bits.read_ones(kCodeUnaryMax, ones)) return false;
  if (ones < kCodeUnaryMax) {
    if (!bits.read_bits(code.low_bits, number)) return false;
    number |= static_cast<std::uint64_t>(ones) << code.low_bits;
  } else {
    std::uint64_t width = 0;
    if (!bits.read_bits(kCodeWidthBits, width)) return false;
    if (!bits.read_bits(static_cast<unsigned>(width) + 1, number)) return false;
  }
  if (code.has_zero_bit) ++number;
  return true;
}

}  // namespace vigia::chunk
