#include "services/storage/customers/record_times.hpp"

#include <algorithm>
#include <vector>

namespace vigia::storage::customers {

void RecordTimes::note(CustomerNumber customer, TimestampMs newest_ms) {
  const std::lock_guard lock(mutex_);
  TimestampMs& known = newest_[customer.value].sample_ms;
  known = std::max(known, newest_ms);
}

void RecordTimes::note_claimed(CustomerNumber customer, TimestampMs newest_ms, const Clock& clock) {
  const TimestampMs samples_ms = median_of([](const Newest& newest) { return newest.sample_ms; });
  // The wall clock alone is not enough: where it is behind, right times would be refused.
  if (newest_ms > std::max(clock.wall_ms(), samples_ms) + kClaimedAheadMs) return;
  const std::lock_guard lock(mutex_);
  TimestampMs& known = newest_[customer.value].claimed_ms;
  known = std::max(known, newest_ms);
}

// Of the customers that have one.
template <typename Time>
TimestampMs RecordTimes::median_of(Time&& time) const {
  std::vector<TimestampMs> times;
  {
    const std::lock_guard lock(mutex_);
    times.reserve(newest_.size());
    for (const auto& [customer, newest] : newest_) {
      if (const TimestampMs time_ms = time(newest); time_ms > 0) times.push_back(time_ms);
    }
  }
  if (times.empty()) return 0;
  // The lower of two in the middle: of two customers, one with a clock that is ahead does not
  // decide.
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

TimestampMs RecordTimes::median_ms() const {
  return median_of(
      [](const Newest& newest) { return std::max(newest.sample_ms, newest.claimed_ms); });
}

TimestampMs RecordTimes::latest_ms(const Clock& clock) const {
  return std::max(clock.wall_ms(), median_ms());
}

}  // namespace vigia::storage::customers
