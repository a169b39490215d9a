// Reads bits, most significant first: the other side of BitWriter.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace vigia::chunk {

/// Any bytes may be given. A read that goes past the end gives false and nothing after it is worth
/// reading. `bytes` must outlive the reader. Thread contract: one thread at a time. Bodies stand
/// here because each is a few instructions, run several times a sample.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes = {}) : rest_(bytes) {}

  bool read_bit(bool& bit) {
    if (buffered_ == 0 && !refill(1)) return false;
    bit = (buffer_ >> 63U) != 0;
    buffer_ <<= 1U;
    --buffered_;
    return true;
  }

  /// REQUIRES: count <= 64.
  bool read_bits(unsigned count, std::uint64_t& value) {
    value = 0;
    if (count == 0) return true;
    if (count > 32) return read_long(count, value);
    if (buffered_ < count && !refill(count)) return false;
    value = buffer_ >> (64U - count);
    buffer_ <<= count;
    buffered_ -= count;
    return true;
  }

  /// How many ones come next, `max` at the most; the zero behind fewer is taken as well.
  /// REQUIRES: max <= 32.
  bool read_ones(unsigned max, unsigned& ones) {
    if (buffered_ <= max) refill(max + 1);  // near the end there may be fewer, and enough
    ones = std::min(static_cast<unsigned>(std::countl_one(buffer_)), max);
    const unsigned taken = ones < max ? ones + 1 : ones;
    if (taken > buffered_) return false;
    buffer_ <<= taken;
    buffered_ -= taken;
    return true;
  }

  /// Unsigned LEB128 of at most 64 bits.
  bool read_varint(std::uint64_t& value) {
    constexpr unsigned kVarintBytesMax = 10;
    value = 0;
    for (unsigned i = 0; i < kVarintBytesMax; ++i) {
      std::uint64_t byte = 0;
      if (!read_bits(8, byte)) return false;
      if (i == kVarintBytesMax - 1 && byte > 1) return false;  // over 64 bits
      value |= (byte & 0x7fU) << (7 * i);
      if (byte < 0x80) return true;
    }
    return false;
  }

  /// Zigzag, then the same; the two's complement of the number.
  bool read_signed_varint(std::uint64_t& value) {
    std::uint64_t zigzag = 0;
    if (!read_varint(zigzag)) return false;
    value = (zigzag >> 1U) ^ (0 - (zigzag & 1U));
    return true;
  }

  /// Nothing is left but what fills the last byte: fewer than eight bits, all of them 0.
  bool is_at_end() const { return rest_.empty() && buffered_ < 8 && buffer_ == 0; }

 private:
  // In two halves, so that a refill always has room.
  bool read_long(unsigned count, std::uint64_t& value) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    if (!read_bits(count - 32, high) || !read_bits(32, low)) return false;
    value = (high << 32U) | low;
    return true;
  }

  bool refill(unsigned count) {
    if (rest_.size() >= sizeof(buffer_)) {
      static_assert(std::endian::native == std::endian::little);
      std::uint64_t word = 0;
      std::memcpy(&word, rest_.data(), sizeof(word));
      const unsigned bytes = (64U - buffered_) / 8;
      buffer_ |= __builtin_bswap64(word) >> buffered_;
      buffered_ += bytes * 8;
      // Behind them all bits are 0, as if whole bytes alone had come.
      buffer_ &= UINT64_MAX << (64U - buffered_);
      rest_.remove_prefix(bytes);
      return true;
    }
    while (buffered_ <= 56 && !rest_.empty()) {
      buffer_ |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[0]))
                 << (56U - buffered_);
      buffered_ += 8;
      rest_.remove_prefix(1);
    }
    return buffered_ >= count;
  }

  std::string_view rest_;
  std::uint64_t buffer_ = 0;  // its upper `buffered_` bits are next, the others 0
  unsigned buffered_ = 0;
};

}  // namespace vigia::chunk
