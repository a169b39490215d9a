// Values of one series from rows that overlap, as readers get them: one a time.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "libs/model/sample.hpp"

namespace vigia::storage::keep {

struct HeldValue {
  TimestampMs time_ms = 0;
  std::uint64_t version = 0;  ///< of its row
  std::uint64_t value = 0;    ///< its bits, or a hash of it
};

/// As store::merge_rows for raw samples, but a row at a time: holds what later rows may still
/// overlap, and no more. Thread contract: one thread.
class OneOfTimes {
 public:
  /// Told of each time once, in order, with the value that stays.
  using Visit = std::function<void(TimestampMs time_ms, std::uint64_t value)>;
  explicit OneOfTimes(Visit visit) : visit_(std::move(visit)) {}

  /// REQUIRES: rows come by first_ms; `values` by time, none before first_ms.
  void add_row(TimestampMs first_ms, const std::vector<HeldValue>& values);
  void finish() { tell_before(INT64_MAX); }

 private:
  void tell_before(TimestampMs end_ms);

  const Visit visit_;
  std::vector<HeldValue> held_;  // by time, one a time
};

}  // namespace vigia::storage::keep
