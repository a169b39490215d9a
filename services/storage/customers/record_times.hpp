// What time it is by the records that come in: the wall clock of this machine may be wrong.
#pragma once

#include <mutex>
#include <unordered_map>

#include "libs/base/clock.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/customers/customer_numbers.hpp"

namespace vigia::storage::customers {

/// The newest time in each customer's records since the start. Of samples every time counts: none
/// lies further ahead of the collector's clock than it refuses at its door. Spans and log records
/// may name any time, and one that names the year 2554 would stay the newest for ever: theirs count
/// up to kClaimedAheadMs beyond what clock and samples say, so that they cannot raise that bound
/// themselves. Thread contract: any thread.
class RecordTimes {
 public:
  static constexpr TimestampMs kClaimedAheadMs = 86'400'000;

  /// Of samples.
  void note(CustomerNumber customer, TimestampMs newest_ms);
  /// Of spans and log records: one that lies further ahead says nothing.
  void note_claimed(CustomerNumber customer, TimestampMs newest_ms, const Clock& clock);
  /// Half of the customers have records at least as new, the lower half where they are even: one
  /// customer's wrong times, even far ahead, do not move it where there are others. 0: no records.
  TimestampMs median_ms() const;
  /// The later of the wall clock and the records: neither a clock nor records that are behind hold
  /// anything up.
  TimestampMs latest_ms(const Clock& clock) const;

 private:
  struct Newest {
    TimestampMs sample_ms = 0;
    TimestampMs claimed_ms = 0;
  };
  template <typename Time>
  TimestampMs median_of(Time&& time) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, Newest> newest_;
};

}  // namespace vigia::storage::customers
