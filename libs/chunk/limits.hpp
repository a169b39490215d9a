// Limits of a chunk.
#pragma once

#include <cstddef>

namespace vigia::chunk {

/// What the two-byte count at the front of a chunk can say.
inline constexpr std::size_t kSamplesMax = 65'535;
inline constexpr std::size_t kCountBytes = 2;

/// Longest form of one float sample: 10 bytes of time (an offset in full, 4 + 64 bits, or a varint)
/// and 2 + 5 + 6 + 64 bits of value.
inline constexpr std::size_t kSampleBytesMax = 20;

}  // namespace vigia::chunk
