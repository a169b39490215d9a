// How an XOR chunk (encoding 1) writes times and values, for whatever takes bits: something with
// `write(value, count)` of at most 64 bits. Format: docs/formats/chunk.md.
#pragma once

#include <bit>
#include <cstdint>

#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// Zero bits before and behind the last value that was written with a window of its own.
struct XorWindow {
  static constexpr std::uint8_t kNone = 0xff;
  std::uint8_t leading = kNone;
  std::uint8_t trailing = 0;
};

namespace xor_code {

// Five bits say how many leading zero bits there are.
inline constexpr unsigned kLeadingMax = 31;

// One more value above zero than below: the way the reader extends the sign.
inline bool fits(std::int64_t value, unsigned bits) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  return value > -half && value <= half;
}

// The lowest bits of a value behind a mark, to be written at once.
inline std::uint64_t with_mark(std::uint64_t mark, std::uint64_t value, unsigned bits) {
  return mark << bits | (value & ((std::uint64_t{1} << bits) - 1));
}

// Both in one step where they fit.
template <typename Bits>
void write_marked(std::uint64_t mark, unsigned mark_bits, std::uint64_t value, unsigned bits,
                  Bits& out) {
  if (mark_bits + bits <= 64) return out.write(with_mark(mark, value, bits), mark_bits + bits);
  out.write(mark, mark_bits);
  out.write(value, bits);
}

}  // namespace xor_code

/// Unsigned LEB128.
template <typename Bits>
void write_xor_varint(std::uint64_t value, Bits& bits) {
  while (value >= 0x80) {
    bits.write((value & 0x7f) | 0x80, 8);
    value >>= 7U;
  }
  bits.write(value, 8);
}

/// The first sample's time.
template <typename Bits>
void write_xor_first_time(TimestampMs timestamp_ms, Bits& bits) {
  const std::uint64_t sign = timestamp_ms < 0 ? ~std::uint64_t{0} : 0;
  write_xor_varint((static_cast<std::uint64_t>(timestamp_ms) << 1U) ^ sign, bits);  // zigzag
}

/// From the third sample on: by how much its step in time differs from the one before.
template <typename Bits>
void write_xor_step_change(std::int64_t change, Bits& bits) {
  using xor_code::fits;
  using xor_code::with_mark;
  const auto raw = static_cast<std::uint64_t>(change);
  if (change == 0) {
    bits.write(0, 1);
  } else if (fits(change, 14)) {
    bits.write(with_mark(0b10, raw, 14), 2 + 14);
  } else if (fits(change, 17)) {
    bits.write(with_mark(0b110, raw, 17), 3 + 17);
  } else if (fits(change, 20)) {
    bits.write(with_mark(0b1110, raw, 20), 4 + 20);
  } else {
    bits.write(0b1111, 4);
    bits.write(raw, 64);
  }
}

/// From the second sample on: its value's bits XOR those of the one before.
template <typename Bits>
void write_xor_change(std::uint64_t change, XorWindow& window, Bits& bits) {
  using xor_code::with_mark;
  if (change == 0) return bits.write(0, 1);
  unsigned leading = static_cast<unsigned>(std::countl_zero(change));
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (leading > xor_code::kLeadingMax) leading = xor_code::kLeadingMax;
  // The window before is used as long as it covers the change, even where a narrower one would save
  // bits: so Prometheus' appender does, and the bytes stay the same.
  if (window.leading != XorWindow::kNone && leading >= window.leading &&
      trailing >= window.trailing) {
    const unsigned width = 64U - window.leading - window.trailing;
    return xor_code::write_marked(0b10, 2, change >> window.trailing, width, bits);
  }
  window = {static_cast<std::uint8_t>(leading), static_cast<std::uint8_t>(trailing)};
  const unsigned significant = 64 - leading - trailing;
  // A width of 64 overflows to 0, and 0 can't occur: the reader knows.
  const std::uint64_t head = with_mark(with_mark(0b11, leading, 5), significant, 6);
  xor_code::write_marked(head, 2 + 5 + 6, change >> trailing, significant, bits);
}

}  // namespace vigia::chunk
