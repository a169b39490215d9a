#include "libs/delivery/fault_hunt.hpp"

#include <algorithm>

namespace vigia::delivery {

bool FaultHunt::is_given_up(const disk_log::LogPosition& record) const {
  return faults_ > kFaultsMax && fault_at_ == record;
}

void FaultHunt::note_fault(std::size_t in_hand, const std::optional<disk_log::LogPosition>& alone) {
  if (alone) {
    faults_ = faults_ > 0 && fault_at_ == *alone ? faults_ + 1 : 1;
    fault_at_ = *alone;
  }
  // One more than were in hand: the record that was to come next may be the one.
  singles_left_ = std::max(singles_left_, in_hand + 1);
}

void FaultHunt::note_done() {
  if (singles_left_ > 0) --singles_left_;
  faults_ = 0;
}

}  // namespace vigia::delivery
