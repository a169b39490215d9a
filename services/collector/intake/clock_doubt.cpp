#include "services/collector/intake/clock_doubt.hpp"

#include <algorithm>
#include <cstdlib>

namespace vigia::collector {

ClockDoubt::ClockDoubt(const Clock& clock, std::int64_t newest_record_ms)
    : clock_(clock), newest_ms_(newest_record_ms) {}

void ClockDoubt::note_points(const CustomerId& customer, const Points& points) {
  if (points.count == 0) return;
  const bool is_ahead = std::uint64_t{points.ahead} * 10 >= std::uint64_t{points.count} * 9;
  if (!is_ahead && std::abs(points.newest_ms - clock_.wall_ms()) > kNearMax_ms) return;
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  seen_[customer] = {now, is_ahead};
  if (!is_ahead) note_near(now);
}

void ClockDoubt::note_near(TimePoint now) {
  const bool goes_on = near_ && (is_proved() || now - near_->last < kSeenFor) &&
                       std::abs(offset_ms() - near_->offset_ms) < kBehindMin_ms;
  if (!goes_on) near_ = Near{.since = now};
  near_->last = now;
  near_->offset_ms = offset_ms();
  near_->is_proof = near_->is_proof || now - near_->since >= kProvedAfter;
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

std::int64_t ClockDoubt::offset_ms() const {
  return clock_.wall_ms() -
         std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady().time_since_epoch())
             .count();
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

bool ClockDoubt::is_proved() {
  return near_ && near_->is_proof && std::abs(offset_ms() - near_->offset_ms) < kBehindMin_ms;
}

bool ClockDoubt::are_most_ahead() {
  constexpr std::size_t kSeveral = 2;
  const TimePoint oldest = clock_.steady() - kSeenFor;
  std::erase_if(seen_, [oldest](const auto& entry) { return entry.second.when < oldest; });
  const auto ahead = static_cast<std::size_t>(std::count_if(
      seen_.begin(), seen_.end(), [](const auto& entry) { return entry.second.is_ahead; }));
  if (ahead == 0 || ahead * 10 < seen_.size() * 9) return false;
  return ahead >= kSeveral || !is_proved();
}

}  // namespace vigia::collector
