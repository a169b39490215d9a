#include "libs/chunk/sample_encoder.hpp"

#include <bit>

#include "libs/base/check.hpp"

namespace vigia::chunk {
namespace {

// Five bits say how many leading zero bits there are.
constexpr unsigned kLeadingMax = 31;

// One more value above zero than below: the way the reader extends the sign.
bool fits(std::int64_t value, unsigned bits) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  return value > -half && value <= half;
}

// The lowest bits of a value behind a mark, to be written at once.
std::uint64_t with_mark(std::uint64_t mark, std::uint64_t value, unsigned bits) {
  return mark << bits | (value & ((std::uint64_t{1} << bits) - 1));
}

// Both in one step where they fit.
void write_marked(std::uint64_t mark, unsigned mark_bits, std::uint64_t value, unsigned bits,
                  SampleBits& out) {
  if (mark_bits + bits <= 64) return out.write(with_mark(mark, value, bits), mark_bits + bits);
  out.write(mark, mark_bits);
  out.write(value, bits);
}

}  // namespace

void SampleBits::write_varint(std::uint64_t value) {
  while (value >= 0x80) {
    write((value & 0x7f) | 0x80, 8);
    value >>= 7U;
  }
  write(value, 8);
}

void SampleEncoder::encode(const Sample& sample, SampleBits& bits) {
  CHECK(samples_ < kSamplesMax);
  if (samples_ == 0) first_ms_ = sample.timestamp_ms;
  write_time(sample.timestamp_ms, bits);
  write_value(std::bit_cast<std::uint64_t>(sample.value), bits);
  ++samples_;
}

bool SampleEncoder::take_still(const Sample& sample) {
  CHECK(samples_ < kSamplesMax);
  const std::uint64_t delta =
      static_cast<std::uint64_t>(sample.timestamp_ms) - static_cast<std::uint64_t>(last_ms_);
  if (samples_ < 2 || delta != delta_ms_ ||
      std::bit_cast<std::uint64_t>(sample.value) != value_bits_) {
    return false;
  }
  last_ms_ = sample.timestamp_ms;
  ++samples_;
  return true;
}

void SampleEncoder::write_time(TimestampMs timestamp_ms, SampleBits& bits) {
  // Unsigned, so that time stamps at the ends of the range wrap instead of overflowing.
  const std::uint64_t delta =
      static_cast<std::uint64_t>(timestamp_ms) - static_cast<std::uint64_t>(last_ms_);
  last_ms_ = timestamp_ms;
  if (samples_ == 0) {
    const std::uint64_t sign = timestamp_ms < 0 ? ~std::uint64_t{0} : 0;
    return bits.write_varint((static_cast<std::uint64_t>(timestamp_ms) << 1U) ^ sign);  // zigzag
  }
  const auto change = static_cast<std::int64_t>(delta - delta_ms_);
  delta_ms_ = delta;
  if (samples_ == 1) return bits.write_varint(delta);
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

void SampleEncoder::write_value(std::uint64_t value_bits, SampleBits& bits) {
  const std::uint64_t change = value_bits ^ value_bits_;
  value_bits_ = value_bits;
  if (samples_ == 0) return bits.write(value_bits, 64);
  if (change == 0) return bits.write(0, 1);
  unsigned leading = static_cast<unsigned>(std::countl_zero(change));
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (leading > kLeadingMax) leading = kLeadingMax;
  // The window before is used as long as it covers the change, even where a narrower one would save
  // bits: so Prometheus' appender does, and the bytes stay the same.
  if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
    return write_marked(0b10, 2, change >> trailing_, 64U - leading_ - trailing_, bits);
  }
  leading_ = static_cast<std::uint8_t>(leading);
  trailing_ = static_cast<std::uint8_t>(trailing);
  const unsigned significant = 64 - leading - trailing;
  // A width of 64 overflows to 0, and 0 can't occur: the reader knows.
  const std::uint64_t head = with_mark(with_mark(0b11, leading, 5), significant, 6);
  write_marked(head, 2 + 5 + 6, change >> trailing, significant, bits);
}

double SampleEncoder::last_value() const { return std::bit_cast<double>(value_bits_); }

}  // namespace vigia::chunk
