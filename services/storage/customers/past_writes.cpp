#include "services/storage/customers/past_writes.hpp"

#include <algorithm>
#include <new>

namespace vigia::storage::customers {

// Whoever finds the old edge here has stored before the new one was told: who was told it reads
// behind that, and finds the samples. Whoever finds the new one counts.
void PastWrites::note(CustomerNumber customer, TimestampMs oldest_ms) noexcept {
  if (oldest_ms > edge_ms_) return;
  try {
    const std::lock_guard lock(mutex_);
    ++writes_[customer.value];
  } catch (const std::bad_alloc&) {
    ++unowned_;
  }
}

PastWrites::Told PastWrites::tell(TimestampMs edge_ms,
                                  const std::function<bool(CustomerNumber)>& is_wanted) {
  Told told;
  const std::lock_guard lock(mutex_);
  told.edge_ms = std::max(edge_ms_.load(), edge_ms);
  edge_ms_ = told.edge_ms;
  told.writes = unowned_;
  for (const auto& [number, writes] : writes_) {
    if (is_wanted({number})) told.writes += writes;
  }
  return told;
}

}  // namespace vigia::storage::customers
