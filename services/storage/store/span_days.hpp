// Spans by the day under which they lie, all of them: for whoever carries what a store holds to
// another. A contract that a store may leave out.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store {

/// A span lies under the day of its start; one that names no start, or one that is a day ahead,
/// under that on which it came. Thread contract: any thread. Errors as EventStore's.
class SpanDays {
 public:
  virtual ~SpanDays() = default;
  /// Since 1970, in order: each that has spans of the customer; others may be among them.
  virtual Result<std::vector<std::uint32_t>> days_with_spans(const CustomerId& customer) = 0;
  /// Gives `visit` each of the customer's spans that lie under the day, those of one trace behind
  /// each other; as EventStore::read_trace.
  virtual Result<bool> read_day(const CustomerId& customer, std::uint32_t day,
                                const EventStore::SpanVisit& visit, const WorkLimit& limit) = 0;
};

}  // namespace vigia::storage::store
