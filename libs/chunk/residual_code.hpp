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
bool read_number(BitReader& bits, const ResidualCode& code, std::uint64_t& number);

}  // namespace vigia::chunk
