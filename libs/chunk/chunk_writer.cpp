#include "libs/chunk/chunk_writer.hpp"

#include <algorithm>
#include <cstring>

namespace vigia::chunk {
namespace {

// Doubling would leave a third of the memory unused.
constexpr std::size_t kGrowthBytesMin = 64;

}  // namespace

void ChunkWriter::reserve(std::size_t bytes) {
  bytes_.reserve(bytes);
  bytes_.resize(bytes_.capacity());
}

// All that may throw.
void ChunkWriter::make_room() {
  constexpr std::size_t kMore = kCountBytes + SampleBits::kRoom;
  if (bytes_.size() - size_ >= kMore) return;
  reserve(bytes_.size() + std::max(bytes_.size() / 4, kGrowthBytesMin));
}

void ChunkWriter::append(const Sample& sample) {
  if (free_bits_ >= SampleEncoder::kStillBits && encoder_.take_still(sample)) {
    free_bits_ -= SampleEncoder::kStillBits;
    return count_samples();
  }
  make_room();
  if (size_ == 0) size_ = kCountBytes;
  SampleBits bits(bytes_[size_ - 1], free_bits_);
  encoder_.encode(sample, bits);
  if (bits.is_begun()) --size_;
  // Always as many, which is some instructions and no loop: what is too much is written over.
  std::memcpy(bytes_.data() + size_, bits.bytes().data(), SampleBits::kRoom);
  size_ += bits.bytes().size();
  free_bits_ = bits.free_bits();
  count_samples();
}

void ChunkWriter::count_samples() {
  const std::size_t count = encoder_.samples();
  bytes_[0] = static_cast<std::uint8_t>(count >> 8U);
  bytes_[1] = static_cast<std::uint8_t>(count & 0xffU);
}

std::string_view ChunkWriter::bytes() const {
  return {reinterpret_cast<const char*>(bytes_.data()), size_};
}

void ChunkWriter::reset() { *this = ChunkWriter(); }

}  // namespace vigia::chunk
