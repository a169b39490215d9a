#include "services/storage/keep/one_of_times.hpp"

#include <algorithm>

namespace vigia::storage::keep {

void OneOfTimes::add_row(TimestampMs first_ms, const std::vector<HeldValue>& values) {
  tell_before(first_ms);
  const bool is_alone = held_.empty();
  held_.insert(held_.end(), values.begin(), values.end());
  if (is_alone) return;
  // Of equal times the lowest version comes first, of those that of the first row.
  std::stable_sort(held_.begin(), held_.end(), [](const HeldValue& left, const HeldValue& right) {
    return std::pair(left.time_ms, left.version) < std::pair(right.time_ms, right.version);
  });
  const auto end = std::unique(
      held_.begin(), held_.end(),
      [](const HeldValue& left, const HeldValue& right) { return left.time_ms == right.time_ms; });
  held_.erase(end, held_.end());
}

void OneOfTimes::tell_before(TimestampMs end_ms) {
  const auto end =
      std::partition_point(held_.begin(), held_.end(),
                           [end_ms](const HeldValue& value) { return value.time_ms < end_ms; });
  for (auto at = held_.begin(); at != end; ++at) visit_(at->time_ms, at->value);
  held_.erase(held_.begin(), end);
}

}  // namespace vigia::storage::keep
