// The minutes in which the write-ahead log is let go.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vigia::storage::heads {

/// The minute, since 1970, in which a record of the write-ahead log was received. Never falls.
using Epoch = std::uint32_t;
inline constexpr Epoch kNoEpoch = 0;

/// The older of two, kNoEpoch being none.
constexpr Epoch older(Epoch left, Epoch right) {
  if (left == kNoEpoch) return right;
  if (right == kNoEpoch) return left;
  return std::min(left, right);
}

}  // namespace vigia::storage::heads
