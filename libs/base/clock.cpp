#include "libs/base/clock.hpp"

namespace vigia {

std::int64_t SystemClock::wall_ns() const {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TimePoint SystemClock::steady() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

}  // namespace vigia
