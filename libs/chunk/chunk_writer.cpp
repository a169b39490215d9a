#include "libs/chunk/chunk_writer.hpp"

#include <algorithm>

namespace vigia::chunk {
namespace {

// Doubling would leave a third of the memory unused.
constexpr std::size_t kGrowthBytesMin = 64;

}  // namespace

// All that may throw.
void ChunkWriter::make_room() {
  constexpr std::size_t kMore = kCountBytes + kSampleBytesMax;
  if (bytes_.capacity() - bytes_.size() >= kMore) return;
  bytes_.reserve(bytes_.capacity() + std::max(bytes_.capacity() / 4, kGrowthBytesMin));
}

void ChunkWriter::append(const Sample& sample) {
  if (free_bits_ >= SampleEncoder::kStillBits && encoder_.take_still(sample)) {
    free_bits_ -= SampleEncoder::kStillBits;
    return count_samples();
  }
  make_room();
  SampleBits bits(bytes_.empty() ? std::uint8_t{0} : bytes_.back(), free_bits_);
  encoder_.encode(sample, bits);
  if (bytes_.empty()) bytes_.resize(kCountBytes);
  if (bits.is_begun()) bytes_.pop_back();
  for (const char byte : bits.bytes()) bytes_.push_back(static_cast<std::uint8_t>(byte));
  free_bits_ = bits.free_bits();
  count_samples();
}

void ChunkWriter::count_samples() {
  const std::size_t count = encoder_.samples();
  bytes_[0] = static_cast<std::uint8_t>(count >> 8U);
  bytes_[1] = static_cast<std::uint8_t>(count & 0xffU);
}

std::string_view ChunkWriter::bytes() const {
  return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

void ChunkWriter::reset() { *this = ChunkWriter(); }

}  // namespace vigia::chunk
