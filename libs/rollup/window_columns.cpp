#include "libs/rollup/window_columns.hpp"

#include <algorithm>
#include <bit>
#include <span>
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

// How the numbers behind the first were made small; nothing where all are equal to it.
struct Rest {
  bool is_zero = false;
  unsigned shift = 0;
  unsigned order = 0;
};

bool read_rest_head(chunk::BitReader& bits, Rest& rest) {
  if (!bits.read_bit(rest.is_zero)) return false;
  if (rest.is_zero) return true;
  std::uint64_t shift = 0;
  std::uint64_t order = 0;
  if (!bits.read_bits(kShiftBits, shift) || !bits.read_bits(chunk::kOrderBits, order)) return false;
  rest.shift = static_cast<unsigned>(shift);
  rest.order = static_cast<unsigned>(order);
  return order <= chunk::kOrderMax;
}

// The value's change against the one before, as bits.
bool read_change(chunk::BitReader& bits, std::uint64_t& change) {
  bool is_change = false;
  change = 0;
  if (!bits.read_bit(is_change)) return false;
  if (!is_change) return true;
  std::uint64_t leading = 0;
  std::uint64_t width = 0;
  if (!bits.read_bits(kLeadingBits, leading) || !bits.read_bits(kWidthBits, width)) return false;
  ++width;
  if (leading + width > 64) return false;
  if (!bits.read_bits(static_cast<unsigned>(width), change)) return false;
  change <<= 64 - leading - width;
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
  Rest rest;
  std::fill(numbers.begin(), numbers.end(), 0);
  if (!bits.read_bit(is_zero)) return false;
  if (is_zero) return true;
  if (numbers.empty() || !bits.read_signed_varint(first) || !read_rest_head(bits, rest)) {
    return false;
  }
  numbers[0] = first;
  const std::span<std::uint64_t> others = std::span(numbers).subspan(1);
  if (!rest.is_zero && !chunk::read_numbers(bits, others)) return false;
  for (unsigned i = 0; i < rest.order; ++i) chunk::integrate(others);
  for (std::uint64_t& number : others) number = first + (number << rest.shift);
  return true;
}

bool skip_column(chunk::BitReader& bits, std::size_t count) {
  bool is_zero = false;
  std::uint64_t first = 0;
  Rest rest;
  if (!bits.read_bit(is_zero)) return false;
  if (is_zero) return true;
  if (count == 0 || !bits.read_signed_varint(first) || !read_rest_head(bits, rest)) return false;
  return rest.is_zero || chunk::skip_numbers(bits, count - 1);
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
    std::uint64_t change = 0;
    if (!read_change(bits, change)) return false;
    current ^= change;
    value = std::bit_cast<double>(current);
  }
  return true;
}

bool skip_bits_column(chunk::BitReader& bits, std::size_t count) {
  std::uint64_t change = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_change(bits, change)) return false;
  }
  return true;
}

}  // namespace vigia::rollup
