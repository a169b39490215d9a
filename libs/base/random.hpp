// Unpredictable bytes from the operating system: tokens, secret hash seeds, jitter.
#pragma once

#include <cstdint>
#include <string>

namespace vigia {

/// `bytes` unpredictable bytes.
std::string random_bytes(std::size_t bytes);

/// An unpredictable number, all 64 bits.
std::uint64_t random_u64();

/// A number in [0, bound), every value as likely. REQUIRES: bound > 0.
std::uint32_t random_below(std::uint32_t bound);

}  // namespace vigia
