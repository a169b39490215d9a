#include "services/collector/intake/clock_doubt.hpp"

#include <algorithm>

namespace vigia::collector {

ClockDoubt::ClockDoubt(const Clock& clock, std::int64_t newest_record_ms)
    : clock_(clock), newest_ms_(newest_record_ms) {}

void ClockDoubt::note_points(const CustomerId& customer, std::uint32_t points,
                             std::uint32_t ahead) {
  if (points == 0) return;
  const bool is_ahead = std::uint64_t{ahead} * 10 >= std::uint64_t{points} * 9;
  const std::lock_guard lock(mutex_);
  seen_[customer] = {clock_.steady(), is_ahead};
}

void ClockDoubt::note_record(std::int64_t received_ms) {
  const std::lock_guard lock(mutex_);
  newest_ms_ = std::max(newest_ms_, received_ms);
}

bool ClockDoubt::is_in_doubt() {
  const std::lock_guard lock(mutex_);
  const bool is_late = is_behind();
  return are_most_ahead() || is_late;
}

bool ClockDoubt::is_behind() {
  if (clock_.wall_ms() + kBehindMin_ms >= newest_ms_) {
    behind_since_.reset();
    return false;
  }
  if (!behind_since_) behind_since_ = clock_.steady();
  if (clock_.steady() - *behind_since_ < kBelievedAfter) return true;
  newest_ms_ = clock_.wall_ms();
  behind_since_.reset();
  return false;
}

bool ClockDoubt::are_most_ahead() {
  constexpr std::size_t kSeveral = 2;
  const TimePoint oldest = clock_.steady() - kSeenFor;
  std::erase_if(seen_, [oldest](const auto& entry) { return entry.second.when < oldest; });
  const auto ahead = static_cast<std::size_t>(std::count_if(
      seen_.begin(), seen_.end(), [](const auto& entry) { return entry.second.is_ahead; }));
  return ahead >= kSeveral && ahead * 10 >= seen_.size() * 9;
}

}  // namespace vigia::collector
