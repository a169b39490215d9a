// What time it is by the records that come in: the wall clock of this machine may be wrong.
#pragma once

#include <mutex>
#include <unordered_map>

#include "libs/base/clock.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/chunks/chunk_store.hpp"

namespace vigia::storage {

/// The newest time in each customer's records since the start. Thread contract: any thread.
class RecordTimes {
 public:
  void note(CustomerNumber customer, TimestampMs newest_ms);
  /// Half of the customers have records at least as new, the lower half where they are even: one
  /// customer's wrong times, even far ahead, do not move it where there are others. 0: no records.
  TimestampMs median_ms() const;
  /// The later of the wall clock and the records: neither a clock nor records that are behind hold
  /// anything up.
  TimestampMs latest_ms(const Clock& clock) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, TimestampMs> newest_;
};

}  // namespace vigia::storage
