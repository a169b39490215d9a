// A few stretches of time that together hold many times.
#pragma once

#include <cstddef>
#include <vector>

#include "services/storage/store/trace_query.hpp"

namespace vigia::storage::store {

/// Both ends are of it.
struct TimeSpan {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = 0;
  bool operator==(const TimeSpan&) const = default;
};

/// In order, none touching another; at most kSpansMax, so that a late time beside new ones does not
/// make all of what lies between a part of it, and times all over cost no memory. One thread.
class TimeSpans {
 public:
  static constexpr std::size_t kSpansMax = 8;

  void add(TimestampNs time_ns) { add(TimeSpan{time_ns, time_ns}); }
  void add(const TimeSpan& span);
  void add(const TimeSpans& others) {
    for (const TimeSpan& span : others.spans_) add(span);
  }
  const std::vector<TimeSpan>& spans() const { return spans_; }
  bool is_empty() const { return spans_.empty(); }

 private:
  void join_nearest();

  std::vector<TimeSpan> spans_;
};

}  // namespace vigia::storage::store
