// Values as whole numbers, and lists of whole numbers in few bits: what packed chunks are made of.
// Format: docs/formats/chunk.md.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/chunk/bit_reader.hpp"
#include "libs/chunk/bit_writer.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// Two's complement: sums wrap, and wrap back.
using Numbers = std::vector<std::uint64_t>;

inline constexpr unsigned kDecimalsMax = 6;
inline constexpr unsigned kDecimalsBits = 3;  ///< in which the number of decimals is written
inline constexpr unsigned kOrderMax = 2;
inline constexpr unsigned kOrderBits = 2;

/// All exact as doubles, so that a division by one rounds once, as the text of the number would.
inline constexpr std::array<double, kDecimalsMax + 1> kPowersOfTen = {1,   1e1, 1e2, 1e3,
                                                                      1e4, 1e5, 1e6};

/// The value times 10^decimals, where value_of gives its very bits back. Stands here because it is
/// run for every value that is stored. REQUIRES: decimals <= kDecimalsMax.
inline std::optional<std::uint64_t> whole_number(double value, unsigned decimals) {
  constexpr double kWholeMax = 9007199254740992.0;  // 2^53
  const double power = kPowersOfTen[decimals];
  // Tried, not proved: the division at reading is done here already.
  const double scaled = std::nearbyint(value * power);
  if (!(std::abs(scaled) <= kWholeMax) || !is_same_value(scaled / power, value)) {
    return std::nullopt;
  }
  const auto number = static_cast<std::int64_t>(scaled);
  // -0 is equal to 0 and would come back as 0.
  if (number == 0 && std::signbit(value)) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

inline double value_of(std::uint64_t number, unsigned decimals) {
  return static_cast<double>(static_cast<std::int64_t>(number)) / kPowersOfTen[decimals];
}

/// Each number becomes the difference to the one before; before the first stands 0.
void differentiate(Numbers& numbers);
/// The other way round.
void integrate(std::span<std::uint64_t> numbers);
/// Of the numbers themselves, their differences and the differences of those, the smallest: they
/// are in `numbers` afterwards. How often they were differentiated.
unsigned choose_order(Numbers& numbers);

/// The list `docs/formats/chunk.md` describes: one bit where all are 0.
void write_numbers(BitWriter& bits, const Numbers& numbers);
/// As many as `numbers` has places, which are all 0 before. False where the bits end early.
bool read_numbers(BitReader& bits, std::span<std::uint64_t> numbers);
/// Goes past a list of so many, as read_numbers would.
bool skip_numbers(BitReader& bits, std::size_t count);

}  // namespace vigia::chunk
