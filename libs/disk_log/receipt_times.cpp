#include "libs/disk_log/receipt_times.hpp"

#include <algorithm>
#include <cstdlib>

namespace vigia::disk_log {
namespace {

// Ages are right to 1/64 of the limit, and the list is no longer than that limit needs.
constexpr int kStretchesPerAge = 64;
constexpr int kJumpShare = 10;  // of an age_max

std::int64_t in_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// The stretch that holds the position; the end where none does.
template <typename Stretches>
auto find_stretch(const Stretches& stretches, LogPosition position) {
  return std::upper_bound(
      stretches.begin(), stretches.end(), position,
      [](LogPosition wanted, const auto& stretch) { return wanted < stretch.end; });
}

}  // namespace

ReceiptTimes::ReceiptTimes(Duration age_max)
    : age_max_(age_max), stretch_(std::min(age_max / kStretchesPerAge, kStretchMax)) {}

std::int64_t ReceiptTimes::jump_limit_ms() const { return in_ms(age_max_ / kJumpShare); }

bool ReceiptTimes::is_worth_telling(std::int64_t jump_ms) const {
  return std::abs(jump_ms) > std::max(jump_limit_ms(), in_ms(kToldMin));
}

std::int64_t ReceiptTimes::elapsed_ms(TimePoint now) const { return in_ms(now - started_); }

void ReceiptTimes::recover(const RecordHeader& header) {
  if (age_max_ == Duration::zero()) return;
  const std::lock_guard lock(mutex_);
  // Stamps are of the wall clock of their time, so they may leap. A leap ahead is remembered, since
  // it may be one that was taken back later; a leap back to before it says that it was.
  const std::int64_t stamp_ms = header.received_ms;
  if (newest_ms_ == 0) level_ms_ = stamp_ms;
  newest_ms_ = stamp_ms;
  if (stamp_ms - level_ms_ > jump_limit_ms()) {
    jump_ = Jump{level_ms_, stamp_ms};
  } else if (jump_ && level_ms_ - stamp_ms > jump_limit_ms()) {  // taken back
    jump_.reset();
    level_ms_ = stamp_ms;
  }
  level_ms_ = std::max(level_ms_, stamp_ms);
  // A record is not older than the one before it, whatever its stamp says.
  const std::int64_t effective_ms =
      old_.empty() ? stamp_ms : std::max(stamp_ms, old_.back().last_ms);
  if (!old_.empty() && effective_ms - old_.back().first_ms < in_ms(stretch_)) {
    old_.back().end = header.next;
    old_.back().last_ms = effective_ms;
  } else {
    old_.push_back({header.next, effective_ms, effective_ms});
  }
}

void ReceiptTimes::start(std::int64_t wall_ms, TimePoint now) {
  const std::lock_guard lock(mutex_);
  started_ = now;
  offset_ms_ = wall_ms;
  base_ms_ = wall_ms;
  if (old_.empty()) return;
  // The clock had not stood there long enough to be believed when the log was closed: the newest
  // stamp is moved back to the clock before the leap.
  if (jump_ && newest_ms_ - jump_->after_ms < in_ms(kJumpPatience))
    newest_ms_ += jump_->before_ms - jump_->after_ms;
  // The pause would age everything by more than a tenth of the limit. Either the program was off
  // for so long or the clock is wrong; until that is known nothing grows old by it.
  if (wall_ms - newest_ms_ > jump_limit_ms()) base_ms_ = newest_ms_;
  is_settled_ = std::abs(wall_ms - newest_ms_) <= jump_limit_ms();
  is_told_ = is_settled_;
}

void ReceiptTimes::note(LogPosition end, TimePoint now) {
  if (age_max_ == Duration::zero()) return;
  const std::lock_guard lock(mutex_);
  if (!stretches_.empty() && now - stretches_.back().first < stretch_) {
    stretches_.back().end = end;
    stretches_.back().last = now;
  } else {
    stretches_.push_back({end, now, now});
  }
}

Duration ReceiptTimes::age(LogPosition position, TimePoint now) const {
  const std::lock_guard lock(mutex_);
  if (const auto old = find_stretch(old_, position); old != old_.end())
    return std::chrono::milliseconds(base_ms_ + elapsed_ms(now) - old->last_ms);
  const auto stretch = find_stretch(stretches_, position);
  return stretch == stretches_.end() ? Duration::zero() : now - stretch->last;
}

void ReceiptTimes::forget_before(LogPosition position) {
  const std::lock_guard lock(mutex_);
  old_.erase(old_.begin(), find_stretch(old_, position));
  stretches_.erase(stretches_.begin(), find_stretch(stretches_, position));
}

std::optional<ClockJump> ReceiptTimes::look(std::int64_t wall_ms, TimePoint now) {
  if (age_max_ == Duration::zero()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  // Both clocks go at the same speed, so the offset stands still while nobody sets the wall clock.
  const std::int64_t offset_ms = wall_ms - elapsed_ms(now);
  const std::int64_t step_ms = offset_ms - offset_ms_;
  offset_ms_ = offset_ms;
  if (old_.empty()) is_settled_ = is_told_ = true;
  // A clock that was set wrongly is put right within the hour, by a person or by NTP; one that
  // still says so is right, and the log was closed for that long.
  if (!is_settled_ && now - started_ >= kJumpPatience) {
    const std::chrono::milliseconds by(offset_ms - base_ms_);
    base_ms_ = offset_ms;
    is_settled_ = true;
    if (was_waiting_told_) return ClockJump{by, ClockJump::What::kBelieved};
    return std::nullopt;
  }
  if (!is_told_) {
    is_told_ = true;
    was_waiting_told_ = is_worth_telling(offset_ms - newest_ms_);
    if (was_waiting_told_)
      return ClockJump{std::chrono::milliseconds(offset_ms - newest_ms_),
                       ClockJump::What::kWaiting};
  }
  if (is_worth_telling(step_ms))
    return ClockJump{std::chrono::milliseconds(step_ms), ClockJump::What::kIgnored};
  return std::nullopt;
}

}  // namespace vigia::disk_log
