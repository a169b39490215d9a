#include "libs/chunk/open_chunk.hpp"

#include <algorithm>

namespace vigia::chunk {
namespace {

constexpr std::uint32_t kBlockBytes = std::tuple_size_v<decltype(BlockPool::Block::bytes)>;
static_assert(kSampleBytesMax <= kBlockBytes, "a sample needs one more block at most");

}  // namespace

// Most samples repeat the step and the value before them. Their bits are zeros, which stand in the
// last byte already, so that no memory of the chunk is touched, and none of its cache lines.
void OpenChunk::append(BlockPool& pool, const Sample& sample) {
  if (free_bits_ >= SampleEncoder::kStillBits && encoder_.take_still(sample)) {
    free_bits_ = static_cast<std::uint8_t>(free_bits_ - SampleEncoder::kStillBits);
    return;
  }
  const std::uint32_t used = size_ % kBlockBytes;
  if (used == 0 || used + kSampleBytesMax > kBlockBytes) pool.make_room();  // all that may throw
  // From here on nothing throws: the encoder has seen the sample exactly if its bits are kept.
  const bool is_begun = free_bits_ > 0;
  std::uint8_t* last = is_begun ? &pool.at(last_).bytes[(size_ - 1) % kBlockBytes] : nullptr;
  SampleBits bits(is_begun ? *last : std::uint8_t{0}, free_bits_);
  encoder_.encode(sample, bits);
  std::string_view bytes = bits.bytes();
  if (is_begun) {
    *last = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
  }
  put(pool, bytes);
  free_bits_ = static_cast<std::uint8_t>(bits.free_bits());
}

void OpenChunk::put(BlockPool& pool, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::uint32_t used = size_ % kBlockBytes;
    if (used == 0) {
      const BlockPool::Number added = pool.take();
      (last_ == BlockPool::kNone ? first_ : pool.at(last_).next) = added;
      last_ = added;
    }
    const std::size_t count = std::min<std::size_t>(bytes.size(), kBlockBytes - used);
    std::copy_n(bytes.begin(), count, pool.at(last_).bytes.begin() + used);
    size_ += static_cast<std::uint32_t>(count);
    bytes.remove_prefix(count);
  }
}

std::string OpenChunk::bytes(const BlockPool& pool) const {
  std::string all;
  if (samples() == 0) return all;
  all.reserve(kCountBytes + size_);
  all.push_back(static_cast<char>(samples() >> 8U));
  all.push_back(static_cast<char>(samples() & 0xffU));
  std::size_t rest = size_;
  for (auto at = first_; at != BlockPool::kNone; at = pool.at(at).next) {
    const std::size_t count = std::min<std::size_t>(rest, kBlockBytes);
    all.append(reinterpret_cast<const char*>(pool.at(at).bytes.data()), count);
    rest -= count;
  }
  return all;
}

void OpenChunk::expect(const BlockPool& pool) const {
  if (size_ > 0) __builtin_prefetch(&pool.at(last_).bytes[(size_ - 1) % kBlockBytes], 1);
}

std::size_t OpenChunk::memory_bytes() const {
  return (size_ + kBlockBytes - 1) / kBlockBytes * sizeof(BlockPool::Block);
}

void OpenChunk::clear(BlockPool& pool) {
  while (first_ != BlockPool::kNone) {
    const BlockPool::Number gone = first_;
    first_ = pool.at(gone).next;
    pool.give_back(gone);
  }
  encoder_ = SampleEncoder();
  last_ = BlockPool::kNone;
  size_ = 0;
  free_bits_ = 0;
}

}  // namespace vigia::chunk
