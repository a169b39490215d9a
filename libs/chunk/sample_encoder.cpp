#include "libs/chunk/sample_encoder.hpp"

#include <bit>

#include "libs/base/check.hpp"
#include "libs/chunk/xor_code.hpp"

namespace vigia::chunk {

void SampleBits::write_varint(std::uint64_t value) { write_xor_varint(value, *this); }

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
  if (samples_ == 0) return write_xor_first_time(timestamp_ms, bits);
  const auto change = static_cast<std::int64_t>(delta - delta_ms_);
  delta_ms_ = delta;
  if (samples_ == 1) return bits.write_varint(delta);
  write_xor_step_change(change, bits);
}

void SampleEncoder::write_value(std::uint64_t value_bits, SampleBits& bits) {
  const std::uint64_t change = value_bits ^ value_bits_;
  value_bits_ = value_bits;
  if (samples_ == 0) return bits.write(value_bits, 64);
  XorWindow window{leading_, trailing_};
  write_xor_change(change, window, bits);
  leading_ = window.leading;
  trailing_ = window.trailing;
}

double SampleEncoder::last_value() const { return std::bit_cast<double>(value_bits_); }

}  // namespace vigia::chunk
