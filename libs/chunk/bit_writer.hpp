// Bits in a byte string, most significant first: the base of a packed chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vigia::chunk {

/// Appends bits. `bytes` is whole after every call: the bits not yet written in its last byte are
/// 0. A call that throws for lack of memory may have written a part of its bits. Thread contract:
/// one thread at a time.
class BitWriter {
 public:
  /// What is written next, up to so many bytes, does not throw. Throws for lack of memory: then
  /// nothing has changed.
  void make_room(std::size_t bytes) {
    if (bytes_.capacity() - bytes_.size() < bytes) grow(bytes);
  }
  void write_bit(bool bit) {
    if (free_bits_ == 0) return write_bits(bit ? 1 : 0, 1);
    --free_bits_;
    bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (bit ? 1U << free_bits_ : 0U));
  }
  /// The lowest `count` bits of `value`. REQUIRES: count <= 64.
  void write_bits(std::uint64_t value, unsigned count);
  /// Unsigned LEB128, eight bits at a time from wherever the writer stands.
  void write_varint(std::uint64_t value);
  /// Zigzag, then the same.
  void write_signed_varint(std::int64_t value);

  std::vector<std::uint8_t>& bytes() { return bytes_; }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  void clear();

 private:
  void grow(std::size_t bytes);
  void push_byte(std::uint8_t byte);

  std::vector<std::uint8_t> bytes_;
  unsigned free_bits_ = 0;  // in the last byte
};

}  // namespace vigia::chunk
