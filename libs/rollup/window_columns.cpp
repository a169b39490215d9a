#include "libs/rollup/window_columns.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace vigia::rollup {
namespace {

using chunk::Numbers;

constexpr unsigned kShiftBits = 6;
constexpr unsigned kLeadingBits = 6;
constexpr unsigned kWidthBits = 6;  // less one

std::uint64_t all_bits(const Numbers& numbers) {
  std::uint64_t all = 0;
  for (const std::uint64_t number : numbers) all |= number;
  return all;
}

bool read_rest(chunk::BitReader& bits, Numbers& numbers) {
  bool is_zero = false;
  std::uint64_t shift = 0;
  std::uint64_t order = 0;
  if (!bits.read_bit(is_zero)) return false;
  if (is_zero) return true;
  if (!bits.read_bits(kShiftBits, shift) || !bits.read_bits(chunk::kOrderBits, order) ||
      order > chunk::kOrderMax || !chunk::read_numbers(bits, numbers)) {
    return false;
  }
  for (std::uint64_t i = 0; i < order; ++i) chunk::integrate(numbers);
  for (std::uint64_t& number : numbers) number <<= shift;
  return true;
}

}  // namespace

// Where all are the same nothing follows the first: the number of samples of each window, and how
// far from its edges they are.
void write_column(chunk::BitWriter& bits, Numbers numbers) {
  const bool is_zero = all_bits(numbers) == 0;
  bits.write_bit(is_zero);
  if (is_zero) return;
  const std::uint64_t first = numbers[0];
  for (std::uint64_t& number : numbers) number -= first;
  numbers.erase(numbers.begin());
  bits.write_signed_varint(static_cast<std::int64_t>(first));
  const std::uint64_t all = all_bits(numbers);
  bits.write_bit(all == 0);
  if (all == 0) return;
  const auto shift = static_cast<unsigned>(std::countr_zero(all));
  for (std::uint64_t& number : numbers) {
    number = static_cast<std::uint64_t>(static_cast<std::int64_t>(number) >> shift);
  }
  const unsigned order = chunk::choose_order(numbers);
  bits.write_bits(shift, kShiftBits);
  bits.write_bits(order, chunk::kOrderBits);
  chunk::write_numbers(bits, numbers);
}

bool read_column(chunk::BitReader& bits, Numbers& numbers) {
  bool is_zero = false;
  std::uint64_t first = 0;
  if (!bits.read_bit(is_zero)) return false;
  if (is_zero) return true;
  Numbers rest(numbers.empty() ? 0 : numbers.size() - 1);
  if (numbers.empty() || !bits.read_signed_varint(first) || !read_rest(bits, rest)) return false;
  numbers[0] = first;
  for (std::size_t i = 0; i < rest.size(); ++i) numbers[i + 1] = first + rest[i];
  return true;
}

void write_bits_column(chunk::BitWriter& bits, const std::vector<double>& values) {
  std::uint64_t previous = 0;
  for (const double value : values) {
    const auto current = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t change = current ^ std::exchange(previous, current);
    bits.write_bit(change != 0);
    if (change == 0) continue;
    const auto leading = static_cast<unsigned>(std::countl_zero(change));
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    const unsigned width = 64 - leading - trailing;
    bits.write_bits(leading, kLeadingBits);
    bits.write_bits(width - 1, kWidthBits);
    bits.write_bits(change >> trailing, width);
  }
}

bool read_bits_column(chunk::BitReader& bits, std::vector<double>& values) {
  std::uint64_t current = 0;
  for (double& value : values) {
    bool is_change = false;
    if (!bits.read_bit(is_change)) return false;
    if (is_change) {
      std::uint64_t leading = 0;
      std::uint64_t width = 0;
      std::uint64_t change = 0;
      if (!bits.read_bits(kLeadingBits, leading) || !bits.read_bits(kWidthBits, width))
        return false;
      ++width;
      if (leading + width > 64) return false;
      if (!bits.read_bits(static_cast<unsigned>(width), change)) return false;
      current ^= change << (64 - leading - width);
    }
    value = std::bit_cast<double>(current);
  }
  return true;
}

}  // namespace vigia::rollup
