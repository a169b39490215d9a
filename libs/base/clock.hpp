// Time is passed in, so that a test can move it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "libs/base/duration.hpp"

namespace vigia {

/// A point on the monotonic clock, for deadlines and timers.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// Where time comes from. Safe to call from every thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, nanoseconds since 1970-01-01 UTC. May jump.
  virtual std::int64_t wall_ns() const = 0;
  /// Monotonic clock. Never jumps back.
  virtual TimePoint steady() const = 0;

  /// Wall clock, milliseconds since 1970-01-01 UTC.
  std::int64_t wall_ms() const { return wall_ns() / 1'000'000; }
};

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ns() const override;
  TimePoint steady() const override;
};

/// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ns) : wall_ns_(wall_ns) {}
  std::int64_t wall_ns() const override { return wall_ns_.load(); }
  TimePoint steady() const override { return TimePoint{Duration{steady_ns_.load()}}; }
  /// Moves both clocks forward.
  void advance(Duration step) {
    wall_ns_ += step.count();
    steady_ns_ += step.count();
  }
  /// Sets the wall clock alone, as an operator or NTP may.
  void set_wall_ns(std::int64_t wall_ns) { wall_ns_ = wall_ns; }

 private:
  std::atomic<std::int64_t> wall_ns_;
  std::atomic<std::int64_t> steady_ns_{1};
};

}  // namespace vigia
