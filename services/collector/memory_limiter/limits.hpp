// From where on the memory limit is acted on.
#pragma once

#include <cstdint>

namespace vigia::collector::memory_limiter {

/// Over the memory limit those who hold the most at the doors are refused; everybody who holds
/// more than a little, and every body of more than 4 MiB, where it is passed by this part: 576 of
/// 512 MiB, so that what is under way then ends below 640.
inline constexpr std::uint64_t kMemoryExcessParts = 8;

/// From this part below the limit on, freed memory goes back to the system as soon as the process
/// has grown by kMemoryReturnParts of the limit: 384 and 16 of 512 MiB.
inline constexpr std::uint64_t kMemoryNearParts = 4;
inline constexpr std::uint64_t kMemoryReturnParts = 32;

}  // namespace vigia::collector::memory_limiter
