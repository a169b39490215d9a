// Until when an answer is worth working on.
#pragma once

#include <atomic>
#include <memory>

#include "libs/base/clock.hpp"

namespace vigia::storage {

/// A time, and the patience of whoever asked. Asked often, between small pieces of work. Thread
/// contract: any thread.
class WorkLimit {
 public:
  WorkLimit() = default;  ///< never over
  /// `gone` becomes true when the client leaves. `clock` must outlive it.
  WorkLimit(const Clock& clock, Duration longest, std::shared_ptr<const std::atomic<bool>> gone)
      : clock_(&clock), end_(clock.steady() + longest), gone_(std::move(gone)) {}

  bool is_over() const {
    return is_client_gone() || (clock_ != nullptr && clock_->steady() >= end_);
  }
  bool is_client_gone() const { return gone_ != nullptr && *gone_; }

 private:
  const Clock* clock_ = nullptr;
  TimePoint end_{};
  std::shared_ptr<const std::atomic<bool>> gone_;
};

}  // namespace vigia::storage
