#include "services/storage/retention/record_times.hpp"

#include <algorithm>
#include <vector>

namespace vigia::storage {

void RecordTimes::note(CustomerNumber customer, TimestampMs newest_ms) {
  const std::lock_guard lock(mutex_);
  TimestampMs& known = newest_[customer.value];
  known = std::max(known, newest_ms);
}

TimestampMs RecordTimes::median_ms() const {
  std::vector<TimestampMs> times;
  {
    const std::lock_guard lock(mutex_);
    times.reserve(newest_.size());
    for (const auto& [customer, newest_ms] : newest_) times.push_back(newest_ms);
  }
  if (times.empty()) return 0;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

TimestampMs RecordTimes::latest_ms(const Clock& clock) const {
  return std::max(clock.wall_ms(), median_ms());
}

}  // namespace vigia::storage
