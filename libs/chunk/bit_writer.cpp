#include "libs/chunk/bit_writer.hpp"

#include <algorithm>

namespace vigia::chunk {
namespace {

// By a quarter, at least by a cache line: doubling would leave a third unused.
constexpr std::size_t kGrowthBytesMin = 64;

}  // namespace

void BitWriter::grow(std::size_t bytes) {
  const std::size_t more = std::max({bytes_.capacity() / 4, kGrowthBytesMin, bytes});
  bytes_.reserve(bytes_.capacity() + more);
}

void BitWriter::push_byte(std::uint8_t byte) {
  make_room(1);
  bytes_.push_back(byte);
}

void BitWriter::write_bits(std::uint64_t value, unsigned count) {
  if (count == 0) return;
  if (count < 64) value &= (std::uint64_t{1} << count) - 1;
  // First what has room in the last byte, then whole bytes, then the begin of one more: bit by bit
  // would take eight times as long.
  if (free_bits_ > 0) {
    const unsigned taken = count < free_bits_ ? count : free_bits_;
    const std::uint64_t top = value >> (count - taken);
    bytes_.back() = static_cast<std::uint8_t>(
        bytes_.back() | ((top & ((1U << taken) - 1U)) << (free_bits_ - taken)));
    free_bits_ -= taken;
    count -= taken;
  }
  while (count >= 8) {
    count -= 8;
    push_byte(static_cast<std::uint8_t>(value >> count));
  }
  if (count > 0) {
    push_byte(static_cast<std::uint8_t>(value << (8 - count)));
    free_bits_ = 8 - count;
  }
}

void BitWriter::write_varint(std::uint64_t value) {
  while (value >= 0x80) {
    write_bits((value & 0x7f) | 0x80, 8);
    value >>= 7U;
  }
  write_bits(value, 8);
}

void BitWriter::write_signed_varint(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  write_varint((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void BitWriter::clear() {
  bytes_.clear();
  free_bits_ = 0;
}

}  // namespace vigia::chunk
