#include "libs/chunk/whole_chunk.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "libs/base/check.hpp"
#include "libs/chunk/limits.hpp"
#include "libs/chunk/xor_code.hpp"

namespace vigia::chunk {
namespace {

/// Bits into bytes that are there already. What is not whole yet waits in a register: eight bytes
/// that are read where some of them have just been written are waited for.
class BitRun {
 public:
  explicit BitRun(char* at) : at_(at) {}
  /// The lowest `count` bits of `value`. REQUIRES: 0 < count <= 64.
  void write(std::uint64_t value, unsigned count) {
    const std::uint64_t top = value << (64 - count);
    word_ |= top >> used_;
    used_ += count;
    if (used_ < 64) return;
    put_word();
    used_ -= 64;
    word_ = used_ > 0 ? top << (count - used_) : 0;
  }
  /// Behind the last byte, which is filled with zeros. Eight bytes are written for the last ones.
  char* finish() {
    put_word();
    return at_ - sizeof(word_) + (used_ + 7) / 8;
  }

 private:
  void put_word() {
    static_assert(std::endian::native == std::endian::little);
    const std::uint64_t word = __builtin_bswap64(word_);
    std::memcpy(at_, &word, sizeof(word));
    at_ += sizeof(word);
  }

  char* at_;
  std::uint64_t word_ = 0;  // its upper `used_` bits are to be written, the others 0
  unsigned used_ = 0;       // fewer than 64
};

void write_samples(std::span<const Sample> samples, BitRun& bits) {
  auto time = static_cast<std::uint64_t>(samples[0].timestamp_ms);
  auto value = std::bit_cast<std::uint64_t>(samples[0].value);
  write_xor_first_time(samples[0].timestamp_ms, bits);
  bits.write(value, 64);
  std::uint64_t step = 0;
  XorWindow window;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    // Unsigned, so that time stamps at the ends of the range wrap instead of overflowing.
    const auto next_time = static_cast<std::uint64_t>(samples[i].timestamp_ms);
    const std::uint64_t next_step = next_time - time;
    if (i == 1) {
      write_xor_varint(next_step, bits);
    } else {
      write_xor_step_change(static_cast<std::int64_t>(next_step - step), bits);
    }
    const auto next_value = std::bit_cast<std::uint64_t>(samples[i].value);
    write_xor_change(next_value ^ value, window, bits);
    time = next_time;
    step = next_step;
    value = next_value;
  }
}

}  // namespace

std::string write_chunk(std::span<const Sample> samples) {
  CHECK(samples.size() <= kSamplesMax);
  std::string bytes;
  if (samples.empty()) return bytes;
  bytes.resize(kCountBytes + samples.size() * kSampleBytesMax + sizeof(std::uint64_t));
  bytes[0] = static_cast<char>(samples.size() >> 8U);
  bytes[1] = static_cast<char>(samples.size() & 0xffU);
  BitRun bits(bytes.data() + kCountBytes);
  write_samples(samples, bits);
  bytes.resize(static_cast<std::size_t>(bits.finish() - bytes.data()));
  bytes.shrink_to_fit();
  return bytes;
}

}  // namespace vigia::chunk
