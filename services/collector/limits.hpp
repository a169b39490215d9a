// Every bound of the collector that no configuration key sets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vigia::collector {

/// A sample this far ahead of our clock makes Prometheus refuse everybody's (design, "Future
/// samples").
inline constexpr std::int64_t kFutureMax_ms = 5LL * 60 * 1000;

/// What a customer may send at once after a silence, in seconds of its points_per_second.
inline constexpr double kBurst_s = 10;

/// How long a sender is asked to wait where the log is full or memory is short.
inline constexpr std::chrono::seconds kRetryAfter{5};

/// Reasons told in one answer; R-OTLP-4 bounds answers to 4 MiB, this stays far below.
inline constexpr std::size_t kAnswerTextMax = 1024;

}  // namespace vigia::collector
