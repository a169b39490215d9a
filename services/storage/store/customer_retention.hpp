// How long each customer's data are to be kept, for stores whose rows end by themselves.
#pragma once

#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/resolution.hpp"
#include "libs/model/signal.hpp"

namespace vigia::storage::store {

/// As it counts now: it may be another one at the next call, but not while something expires by it.
/// 0: for ever. Exemplars are kept as raw. `signal` is traces or logs. Thread contract: any thread,
/// and nobody waits.
class CustomerRetention {
 public:
  virtual ~CustomerRetention() = default;
  virtual Duration keep_of(const CustomerId& customer, Resolution resolution) const = 0;
  virtual Duration keep_of(const CustomerId& customer, Signal signal) const = 0;
  /// Of his series, names and values of labels: as long as the longest of what they are of.
  virtual Duration index_keep_of(const CustomerId& customer) const = 0;
  virtual Duration index_keep_of_others() const = 0;
  /// Of all whom `own` does not name.
  virtual Duration keep_of_others(Resolution resolution) const = 0;
  virtual Duration keep_of_others(Signal signal) const = 0;
  /// Who is kept otherwise than the others, of whatever kind; in order.
  virtual std::vector<CustomerId> own() const = 0;
};

}  // namespace vigia::storage::store
