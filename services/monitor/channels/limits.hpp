// Named limits of channels.
#pragma once

#include <chrono>
#include <cstddef>

#include "libs/base/duration.hpp"

namespace vigia::monitor::channels {

/// How often it is written down again that telling a channel goes as it did.
inline constexpr Duration kOutcomeInterval = std::chrono::minutes(1);
/// Channels of which it is known in memory, some 300 B each; and rows of one transaction.
inline constexpr std::size_t kOutcomesMax = 50'000;
inline constexpr std::size_t kOutcomesKeptAtOnce = 500;
inline constexpr std::size_t kChannelsPerCustomerMax = 20;

}  // namespace vigia::monitor::channels
