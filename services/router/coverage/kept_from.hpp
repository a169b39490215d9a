// How far back the long-term store keeps what of a customer.
#pragma once

#include <array>
#include <cstddef>

#include "libs/model/resolution.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router::coverage {

/// As storage says it (GET /api/v1/retention), in milliseconds since 1970.
struct KeptFrom {
  TimestampMs made_ms = 0;          ///< when the store was made; 0: nobody knows
  std::array<TimestampMs, 4> of{};  ///< by Resolution: what is older is not read

  TimestampMs operator[](Resolution resolution) const {
    return of[static_cast<std::size_t>(resolution)];
  }
  /// Whether of a range that begins at `from_ms` something may have been there, and be gone. A
  /// store that is younger than what it keeps has let nothing go.
  bool has_expired(Resolution resolution, TimestampMs from_ms) const {
    const TimestampMs kept_ms = (*this)[resolution];
    return from_ms < kept_ms && made_ms < kept_ms;
  }
};

}  // namespace vigia::router::coverage
