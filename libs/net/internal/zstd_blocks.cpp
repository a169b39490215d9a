#include "libs/net/internal/zstd_blocks.hpp"

#include <algorithm>
#include <array>

namespace vigia::net::internal {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr std::uint32_t kSkippableMagic = 0x184D2A50;  // its last four bits are free
constexpr std::uint32_t kSkippableMask = 0xFFFFFFF0;
constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kBlockHeadBytes = 3;
constexpr std::size_t kChecksumBytes = 4;
enum BlockType : std::uint8_t { kRaw = 0, kRepeated = 1, kPacked = 2 };

/// Little-endian; 0 where so many are not there.
std::uint32_t number(std::string_view bytes, std::size_t size) {
  if (bytes.size() < size) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

struct FrameHead {
  std::size_t bytes = 0;
  bool has_checksum = false;
};

/// RFC 8878 §3.1.1.1, behind the magic number.
FrameHead frame_head(unsigned char descriptor) {
  constexpr std::array<std::size_t, 4> kDictionaryBytes{0, 1, 2, 4};
  constexpr std::array<std::size_t, 4> kSizeBytes{0, 2, 4, 8};
  const bool is_single = (descriptor & 0x20U) != 0;
  const std::size_t size_flag = descriptor >> 6U;
  const std::size_t size_bytes = size_flag == 0 && is_single ? 1 : kSizeBytes[size_flag];
  return {1 + (is_single ? 0U : 1U) + kDictionaryBytes[descriptor & 3U] + size_bytes,
          (descriptor & 4U) != 0};
}

void skip(std::string_view& bytes, std::size_t count) {
  bytes.remove_prefix(std::min(count, bytes.size()));
}

/// Up to the frame's last block, or the damage.
std::uint64_t blocks(std::string_view& bytes) {
  std::uint64_t sum = 0;
  while (bytes.size() >= kBlockHeadBytes) {
    const std::uint32_t head = number(bytes, kBlockHeadBytes);
    const std::uint32_t type = (head >> 1U) & 3U;
    const std::uint32_t size = head >> 3U;
    skip(bytes, kBlockHeadBytes);
    if (type > kPacked) {
      bytes = {};
      return sum;
    }
    if (type != kPacked) sum += size;
    skip(bytes, type == kRepeated ? 1 : size);
    if ((head & 1U) != 0) break;
  }
  return sum;
}

}  // namespace

std::uint64_t zstd_bytes_at_least(std::string_view bytes) {
  std::uint64_t sum = 0;
  while (bytes.size() > kMagicBytes) {
    const std::uint32_t magic = number(bytes, kMagicBytes);
    skip(bytes, kMagicBytes);
    if ((magic & kSkippableMask) == kSkippableMagic) {
      const std::uint32_t size = number(bytes, sizeof(size));
      skip(bytes, sizeof(size));
      skip(bytes, size);
      continue;
    }
    if (magic != kFrameMagic) break;
    const FrameHead head = frame_head(static_cast<unsigned char>(bytes.front()));
    skip(bytes, head.bytes);
    sum += blocks(bytes);
    if (head.has_checksum) skip(bytes, kChecksumBytes);
  }
  return sum;
}

}  // namespace vigia::net::internal
