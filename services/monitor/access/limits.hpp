// Named limits of callers.
#pragma once

#include <cstddef>

namespace vigia::monitor::access {

/// The table of failed log-ins; the oldest entry goes first.
inline constexpr std::size_t kThrottleEntriesMax = 20'000;

}  // namespace vigia::monitor::access
