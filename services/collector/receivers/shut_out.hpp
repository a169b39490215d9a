// Of which customers nothing is taken for want of memory.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/service/metrics.hpp"

namespace vigia::collector::receivers {

/// While memory is short a customer may be refused long enough that its nodes look silent: then the
/// alert rules hold what they would say of them. One of which anything was let in meanwhile is not
/// among these: that others of its nodes are silent is no doing of ours. Thread contract: any
/// thread.
class ShutOut {
 public:
  /// Refused without a break for this long: less than the 45 s after which a node that pushes
  /// counts as silent.
  static constexpr Duration kAfter = std::chrono::seconds(20);
  /// Nobody tries again after this: an agent waits half a minute at most.
  static constexpr Duration kForgetAfter = std::chrono::minutes(1);

  explicit ShutOut(const Clock& clock) : clock_(clock) {}
  void note_refused(const CustomerId& customer);
  void note_let_in(const CustomerId& customer);
  /// vigia_memory_shut_out{customer_id}.
  void show(const service::MetricRegistry::Emit& emit);

 private:
  struct Refusals {
    TimePoint first;
    TimePoint last;
  };

  const Clock& clock_;
  std::atomic<bool> is_empty_ = true;  ///< spares those that are taken the mutex
  std::mutex mutex_;
  std::map<CustomerId, Refusals> refused_;  ///< guarded by mutex_; forgets the old when shown
};

}  // namespace vigia::collector::receivers
