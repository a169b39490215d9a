// What PromQL makes of a whole window: how much a counter or a gauge has changed, stretched over
// it.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/rollup/window.hpp"

namespace vigia::rollup {

enum class Change : std::uint8_t { kIncrease, kRate, kDelta };

/// What Prometheus 3 answers at the window's end to increase, rate or delta of a range that is the
/// window: of its own samples, by the same operations in the same order, but that what several
/// resets have dropped is added up first. Nothing of fewer than two samples. REQUIRES: width_ms is
/// the window's, above 0.
std::optional<double> change_of(const Window& window, TimestampMs width_ms, Change change);

}  // namespace vigia::rollup
