#include "services/collector/clock/clock_doubt.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace vigia::collector::clock {

ClockDoubt::ClockDoubt(const Clock& clock, std::int64_t newest_record_ms)
    : clock_(clock), newest_ms_(newest_record_ms) {}

void ClockDoubt::note_points(const CustomerId& customer, const Points& points) {
  if (points.count == 0) return;
  // Nine tenths: a sender's clock shifts all of its points, a broken application some of them.
  const bool is_ahead = std::uint64_t{points.ahead} * 10 >= std::uint64_t{points.count} * 9;
  const std::int64_t lag_ms = clock_.wall_ms() - points.newest_ms;
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  if (!is_ahead && points.newest_ms > 0) lags_[customer] = {now, lag_ms};
  if (!is_ahead && std::abs(lag_ms) > kNearMax_ms) return;
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
  // Both are asked: is_behind keeps its own time, and must see each look.
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
  // A newest record from the future (a clock that was ahead when it came) would else hold us in
  // doubt for good.
  if (clock_.steady() - *behind_since_ < kBelievedAfter) return true;
  newest_ms_ = clock_.wall_ms();
  behind_since_.reset();
  return false;
}

bool ClockDoubt::is_proved() {
  return near_ && near_->is_proof && std::abs(offset_ms() - near_->offset_ms) < kBehindMin_ms;
}

ClockDoubt::Word ClockDoubt::word() {
  const std::lock_guard lock(mutex_);
  look_at_lags();
  if (do_lags_agree_) return {Proof::kAhead, 0};
  return is_proved() ? Word{Proof::kRight, near_->offset_ms} : Word{};
}

/// One customer may send what it has kept for hours, and all of them after an outage; that is told
/// from a clock that is ahead once they have sent it.
void ClockDoubt::look_at_lags() {
  constexpr std::size_t kSeveral = 2;
  const TimePoint now = clock_.steady();
  if (lags_seen_ && now < *lags_seen_ + kLagsEvery) return;
  lags_seen_ = now;
  do_lags_agree_ = false;
  const TimePoint oldest = now - kSeenFor;
  std::erase_if(lags_, [oldest](const auto& entry) { return entry.second.when < oldest; });
  if (lags_.size() < kSeveral) return;
  std::vector<std::int64_t> lags;
  for (const auto& [customer, lag] : lags_) lags.push_back(lag.ms);
  const auto middle = lags.begin() + static_cast<std::ptrdiff_t>(lags.size() / 2);
  std::nth_element(lags.begin(), middle, lags.end());
  // The middle one: some customers that send what they kept for hours do not move it.
  const std::int64_t typical_ms = *middle;
  if (typical_ms <= kNearMax_ms) return;
  const auto alike = static_cast<std::size_t>(std::count_if(
      lags.begin(), lags.end(),
      [typical_ms](std::int64_t lag_ms) { return std::abs(lag_ms - typical_ms) <= kSameLagMs; }));
  do_lags_agree_ = alike * 10 >= lags.size() * 9;
}

bool ClockDoubt::are_most_ahead() {
  constexpr std::size_t kSeveral = 2;
  const TimePoint oldest = clock_.steady() - kSeenFor;
  std::erase_if(seen_, [oldest](const auto& entry) { return entry.second.when < oldest; });
  const auto ahead = static_cast<std::size_t>(std::count_if(
      seen_.begin(), seen_.end(), [](const auto& entry) { return entry.second.is_ahead; }));
  if (ahead == 0 || ahead * 10 < seen_.size() * 9) return false;
  // One customer alone is ahead: its clock is wrong, unless nobody has shown that ours is right.
  return ahead >= kSeveral || !is_proved();
}

}  // namespace vigia::collector::clock
