#include "libs/chunk/chunk_reader.hpp"

#include <algorithm>
#include <bit>

namespace vigia::chunk {
namespace {

std::uint64_t sign_extended(std::uint64_t value, unsigned bits) {
  // The value 2^(bits-1) itself is positive: the writer gives the range one more value above zero.
  const std::uint64_t half = std::uint64_t{1} << (bits - 1);
  return value > half ? value - (half << 1U) : value;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

}  // namespace

ChunkReader::ChunkReader(std::string_view bytes) {
  if (bytes.size() < 2) {
    is_damaged_ = !bytes.empty();
    return;
  }
  // The count is a promise: every step below looks whether its bits are there.
  samples_ = static_cast<std::size_t>(byte_at(bytes, 0) << 8U) | byte_at(bytes, 1);
  bits_ = BitReader(bytes.substr(2));
}

bool ChunkReader::next(Sample& sample) {
  if (is_damaged_ || read_ == samples_) return false;
  if (!read_time() || !read_value()) {
    is_damaged_ = true;
    return false;
  }
  ++read_;
  sample.timestamp_ms = static_cast<TimestampMs>(time_ms_);
  sample.value = std::bit_cast<double>(value_bits_);
  return true;
}

bool ChunkReader::read_time() {
  if (read_ == 0) return bits_.read_signed_varint(time_ms_);
  if (read_ == 1) {
    if (!bits_.read_varint(delta_ms_)) return false;
  } else {
    std::uint64_t change = 0;
    if (!read_change_of_delta(change)) return false;
    delta_ms_ += change;
  }
  time_ms_ += delta_ms_;
  return true;
}

/// Prometheus' own widths (tsdb/chunkenc/xor.go), since our chunks go out as they are to whoever
/// reads remotely; the paper's (Gorilla, 7, 9 and 12 bits) are of seconds, ours of milliseconds.
bool ChunkReader::read_change_of_delta(std::uint64_t& change) {
  unsigned ones = 0;
  if (!bits_.read_ones(4, ones)) return false;
  constexpr unsigned kWidths[] = {0, 14, 17, 20, 64};
  const unsigned width = kWidths[ones];
  change = 0;
  if (width == 0) return true;
  if (!bits_.read_bits(width, change)) return false;
  if (width < 64) change = sign_extended(change, width);
  return true;
}

bool ChunkReader::read_value() {
  if (read_ == 0) return bits_.read_bits(64, value_bits_);
  bool is_changed = false;
  if (!bits_.read_bit(is_changed)) return false;
  if (!is_changed) return true;
  bool has_window = false;
  if (!bits_.read_bit(has_window)) return false;
  if (has_window) {
    std::uint64_t leading = 0;
    std::uint64_t significant = 0;
    if (!bits_.read_bits(5, leading) || !bits_.read_bits(6, significant)) return false;
    // Six bits hold 0 to 63, and no window has no significant bit: 0 stands for 64.
    if (significant == 0) significant = 64;
    // Only damage says so; the shifts below would be undefined with it.
    if (leading + significant > 64) return false;
    leading_ = static_cast<unsigned>(leading);
    trailing_ = 64 - leading_ - static_cast<unsigned>(significant);
  }
  std::uint64_t change = 0;
  if (!bits_.read_bits(64 - leading_ - trailing_, change)) return false;
  value_bits_ ^= change << trailing_;
  return true;
}

Result<std::vector<Sample>> read_samples(std::string_view bytes) {
  ChunkReader reader(bytes);
  std::vector<Sample> samples;
  // A sample after the first two takes two bits at least: no promise makes us take more memory.
  samples.reserve(std::min(reader.samples(), bytes.size() * 4 + 2));
  for (Sample sample; reader.next(sample);) samples.push_back(sample);
  if (reader.is_damaged()) return fail(ErrorCode::kCorrupt, "a chunk ends before its last sample");
  return samples;
}

}  // namespace vigia::chunk
