// Columns of a record of windows: numbers with the zeros that all of them end with left out, and
// values as whole numbers or as they are. Format: docs/formats/rollup.md.
#pragma once

#include <cstddef>
#include <vector>

#include "libs/chunk/bit_reader.hpp"
#include "libs/chunk/bit_writer.hpp"
#include "libs/chunk/number_list.hpp"

namespace vigia::rollup {

/// `numbers` is used up.
void write_column(chunk::BitWriter& bits, chunk::Numbers numbers);
/// As many numbers as there are in it, whatever they were. False where the bits end early or are
/// damaged.
bool read_column(chunk::BitReader& bits, chunk::Numbers& numbers);
/// Goes past a column of so many, as read_column would.
bool skip_column(chunk::BitReader& bits, std::size_t count);

/// Values by what they differ from the one before in.
void write_bits_column(chunk::BitWriter& bits, const std::vector<double>& values);
/// As read_column.
bool read_bits_column(chunk::BitReader& bits, std::vector<double>& values);
/// As skip_column.
bool skip_bits_column(chunk::BitReader& bits, std::size_t count);

}  // namespace vigia::rollup
