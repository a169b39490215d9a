#include "libs/chunk/bit_writer.hpp"

namespace vigia::chunk {
namespace {

// Doubling would leave a third of the memory of millions of open chunks unused, so they grow by a
// quarter, at least by a cache line.
constexpr std::size_t kGrowthBytesMin = 64;

}  // namespace

void BitWriter::push_byte(std::uint8_t byte) {
  if (bytes_.size() == bytes_.capacity()) {
    const std::size_t quarter = bytes_.capacity() / 4;
    bytes_.reserve(bytes_.size() + (quarter > kGrowthBytesMin ? quarter : kGrowthBytesMin));
  }
  bytes_.push_back(byte);
}

void BitWriter::write_bit(bool bit) { write_bits(bit ? 1 : 0, 1); }

void BitWriter::write_bits(std::uint64_t value, unsigned count) {
  if (count == 0) return;
  if (count < 64) value &= (std::uint64_t{1} << count) - 1;
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
