#include "libs/chunk/chunk_writer.hpp"

#include <bit>

#include "libs/base/check.hpp"

namespace vigia::chunk {
namespace {

constexpr std::size_t kCountBytes = 2;
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

}  // namespace

void ChunkWriter::append(const Sample& sample) {
  CHECK(samples_ < kSamplesMax);
  bits_.make_room(kCountBytes + kSampleBytesMax);  // all that may throw
  if (samples_ == 0) {
    bits_.write_bits(0, 8 * kCountBytes);
    first_ms_ = sample.timestamp_ms;
  }
  write_time(sample.timestamp_ms);
  write_value(std::bit_cast<std::uint64_t>(sample.value));
  count_sample();
}

void ChunkWriter::write_time(TimestampMs timestamp_ms) {
  // Unsigned, so that time stamps at the ends of the range wrap instead of overflowing.
  const std::uint64_t delta =
      static_cast<std::uint64_t>(timestamp_ms) - static_cast<std::uint64_t>(last_ms_);
  last_ms_ = timestamp_ms;
  if (samples_ == 0) return bits_.write_signed_varint(timestamp_ms);
  const auto change = static_cast<std::int64_t>(delta - delta_ms_);
  delta_ms_ = delta;
  if (samples_ == 1) return bits_.write_varint(delta);
  const auto raw = static_cast<std::uint64_t>(change);
  if (change == 0) {
    bits_.write_bit(false);
  } else if (fits(change, 14)) {
    bits_.write_bits(with_mark(0b10, raw, 14), 2 + 14);
  } else if (fits(change, 17)) {
    bits_.write_bits(with_mark(0b110, raw, 17), 3 + 17);
  } else if (fits(change, 20)) {
    bits_.write_bits(with_mark(0b1110, raw, 20), 4 + 20);
  } else {
    bits_.write_bits(0b1111, 4);
    bits_.write_bits(raw, 64);
  }
}

void ChunkWriter::write_value(std::uint64_t value_bits) {
  const std::uint64_t change = value_bits ^ value_bits_;
  value_bits_ = value_bits;
  if (samples_ == 0) return bits_.write_bits(value_bits, 64);
  if (change == 0) return bits_.write_bit(false);
  unsigned leading = static_cast<unsigned>(std::countl_zero(change));
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (leading > kLeadingMax) leading = kLeadingMax;
  // The window before is used as long as it covers the change, even where a narrower one would save
  // bits: so Prometheus' appender does, and the bytes stay the same.
  if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
    bits_.write_bits(0b10, 2);
    return bits_.write_bits(change >> trailing_, 64U - leading_ - trailing_);
  }
  leading_ = static_cast<std::uint8_t>(leading);
  trailing_ = static_cast<std::uint8_t>(trailing);
  const unsigned significant = 64 - leading - trailing;
  // A width of 64 overflows to 0, and 0 can't occur: the reader knows.
  bits_.write_bits(with_mark(with_mark(0b11, leading, 5), significant, 6), 2 + 5 + 6);
  bits_.write_bits(change >> trailing, significant);
}

/// Last: until here the chunk reads as it was before this sample.
void ChunkWriter::count_sample() {
  ++samples_;
  bits_.bytes()[0] = static_cast<std::uint8_t>(samples_ >> 8U);
  bits_.bytes()[1] = static_cast<std::uint8_t>(samples_ & 0xffU);
}

std::string_view ChunkWriter::bytes() const {
  const auto& bytes = bits_.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

double ChunkWriter::last_value() const { return std::bit_cast<double>(value_bits_); }

void ChunkWriter::reset() { *this = ChunkWriter(); }

}  // namespace vigia::chunk
