// Named limits of the portal that is served.
#pragma once

#include <cstddef>

namespace vigia::monitor::pages {

/// The built portal is held in memory.
inline constexpr std::size_t kPortalBytesMax = 64U << 20U;
inline constexpr std::size_t kPortalFilesMax = 2'000;

}  // namespace vigia::monitor::pages
