// How much memory this program may have.
#pragma once

#include <cstdint>
#include <string>

namespace vigia::collector::memory_limiter {

/// Bytes: the least limit of its control group and of those above it (version 2, or the memory
/// controller of version 1), else what the machine has. `root`: where /proc and /sys lie.
std::uint64_t total_memory(const std::string& root = "");

}  // namespace vigia::collector::memory_limiter
