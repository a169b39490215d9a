#include "libs/service/heap.hpp"

#include <algorithm>

#include <malloc.h>

#include "libs/base/check.hpp"

namespace vigia::service {
namespace {

// A larger block is a mapping of its own, which goes back when it is freed.
constexpr int kOwnMappingBytes = 4 << 20;
// What may stay free at the end of an arena.
constexpr int kFreeBytesMax = 32 << 20;
// An arena for so much of the limit; two at least, for the threads not to wait for one another.
constexpr std::uint64_t kBytesForArena = 256U << 20U;
constexpr std::uint64_t kArenasMin = 2;
constexpr std::uint64_t kLimitedArenasMax = 64;

constexpr int kLargeBlockBytes = 1 << 20;
constexpr int kSmallFreeBytesMax = 4 << 20;
constexpr int kArenasMax = 2;

}  // namespace

void keep_freed_pages(std::uint64_t memory_limit_bytes) {
  CHECK(::mallopt(M_MMAP_THRESHOLD, kOwnMappingBytes) == 1);
  CHECK(::mallopt(M_TRIM_THRESHOLD, kFreeBytesMax) == 1);
  if (memory_limit_bytes == 0) return;
  const std::uint64_t arenas =
      std::clamp(memory_limit_bytes / kBytesForArena, kArenasMin, kLimitedArenasMax);
  CHECK(::mallopt(M_ARENA_MAX, static_cast<int>(arenas)) == 1);
}

void return_large_blocks() {
  CHECK(::mallopt(M_MMAP_THRESHOLD, kLargeBlockBytes) == 1);
  CHECK(::mallopt(M_TRIM_THRESHOLD, kSmallFreeBytesMax) == 1);
  CHECK(::mallopt(M_ARENA_MAX, kArenasMax) == 1);
}

void return_freed_pages() { ::malloc_trim(0); }

}  // namespace vigia::service
