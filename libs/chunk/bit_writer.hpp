// Bits in a byte string, most significant first: the base of a chunk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vigia::chunk {

/// Appends bits. `bytes` is whole after every call: the bits not yet written in its last byte are
/// 0. Thread contract: one thread at a time.
class BitWriter {
 public:
  void write_bit(bool bit);
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
  void push_byte(std::uint8_t byte);

  std::vector<std::uint8_t> bytes_;
  unsigned free_bits_ = 0;  // in the last byte
};

}  // namespace vigia::chunk
