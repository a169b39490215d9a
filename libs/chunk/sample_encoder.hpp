// What one float sample adds to an XOR chunk (encoding 1). Format: docs/formats/chunk.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "libs/chunk/limits.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// The bits of one sample, behind those that the chunk's last byte has already.
class SampleBits {
 public:
  /// As many bytes lie at the beginning of `bytes`, of which the last may mean nothing.
  static constexpr std::size_t kRoom = kSampleBytesMax + 1;
  /// `free_bits` of `last_byte`, its lowest, are not written yet; fewer than 8.
  SampleBits(std::uint8_t last_byte, unsigned free_bits)
      : begun_(free_bits > 0 ? 8 - free_bits : 0), bits_(begun_) {
    if (free_bits > 0) bytes_[0] = last_byte;
  }
  /// The lowest `count` bits of `value`. REQUIRES: 0 < count <= 64, and a sample's length at most.
  void write(std::uint64_t value, unsigned count) {
    // Behind what is there all bits are 0, so eight bytes are read, added to and written at once;
    // what then lacks is fewer bits than the first byte had.
    const std::uint64_t top = value << (64 - count);
    const unsigned used = bits_ % 8;
    std::uint8_t* at = bytes_.data() + bits_ / 8;
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    word |= to_big_endian(top >> used);
    std::memcpy(at, &word, sizeof(word));
    if (used + count > 64) at[8] = static_cast<std::uint8_t>(top << (64 - used) >> 56U);
    bits_ += count;
  }
  /// Unsigned LEB128.
  void write_varint(std::uint64_t value);

  /// Whether the first of `bytes` stands in the place of the chunk's last one.
  bool is_begun() const { return begun_ > 0; }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), (bits_ + 7) / 8};
  }
  /// In the last byte.
  unsigned free_bits() const { return (8 - bits_ % 8) % 8; }

 private:
  static std::uint64_t to_big_endian(std::uint64_t value) {
    static_assert(std::endian::native == std::endian::little);
    return __builtin_bswap64(value);
  }

  std::array<std::uint8_t, kRoom + 8> bytes_{};  // eight are written at a time
  unsigned begun_;                               // bits that were there before
  unsigned bits_;
};

/// What of the samples before decides how the next is written. Thread contract: one at a time.
class SampleEncoder {
 public:
  /// Any order of time stamps; NaNs keep their bits. REQUIRES: samples() < kSamplesMax.
  void encode(const Sample& sample, SampleBits& bits);
  /// Takes a sample of which the value and the step in time are those of the one before, so that
  /// its bits are kStillBits zeros. False where they are not: then nothing has changed. REQUIRES as
  /// encode.
  bool take_still(const Sample& sample);
  static constexpr unsigned kStillBits = 2;

  std::size_t samples() const { return samples_; }
  TimestampMs first_ms() const { return first_ms_; }  ///< REQUIRES: samples() > 0
  TimestampMs last_ms() const { return last_ms_; }    ///< REQUIRES: samples() > 0
  double last_value() const;                          ///< REQUIRES: samples() > 0

 private:
  void write_time(TimestampMs timestamp_ms, SampleBits& bits);
  void write_value(std::uint64_t value_bits, SampleBits& bits);

  static constexpr std::uint8_t kNoWindow = 0xff;
  TimestampMs first_ms_ = 0;
  TimestampMs last_ms_ = 0;
  std::uint64_t delta_ms_ = 0;
  std::uint64_t value_bits_ = 0;
  std::uint16_t samples_ = 0;
  std::uint8_t leading_ = kNoWindow;  // zero bits before and behind the last value that was written
  std::uint8_t trailing_ = 0;         // with a window of its own
};

}  // namespace vigia::chunk
