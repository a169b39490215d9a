// What time it is for the store into which things are copied.
#pragma once

#include <atomic>

#include "libs/base/clock.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::keep {

/// The system's clock; but its wall time can be held at a day's first moment: then what names no
/// time, or one far ahead, is filed there under the day under which it lay. Thread contract: any
/// thread.
class CopyClock final : public Clock {
 public:
  std::int64_t wall_ns() const override {
    const std::int64_t held = held_ns_;
    return held < 0 ? system_.wall_ns() : held;
  }
  TimePoint steady() const override { return system_.steady(); }

  void hold_at(std::uint32_t day) { held_ns_ = std::int64_t{day} * store::kDayMs * kNsPerMs; }
  void let_go() { held_ns_ = -1; }

 private:
  static constexpr std::int64_t kNsPerMs = 1'000'000;
  SystemClock system_;
  std::atomic<std::int64_t> held_ns_{-1};
};

}  // namespace vigia::storage::keep
