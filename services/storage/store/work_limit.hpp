// Until when an answer is worth working on.
#pragma once

#include <atomic>
#include <memory>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"

namespace vigia::storage::store {

/// A time, and the patience of whoever asked. Asked often, between small pieces of work; remembers
/// whether it has ended any. Thread contract: any thread.
class WorkLimit {
 public:
  WorkLimit() = default;  ///< never over
  WorkLimit(const WorkLimit&) = delete;
  WorkLimit& operator=(const WorkLimit&) = delete;
  /// `gone` becomes true when the client leaves. `clock` must outlive it.
  WorkLimit(const Clock& clock, Duration longest, std::shared_ptr<const std::atomic<bool>> gone)
      : clock_(&clock), begin_(clock.steady()), end_(begin_ + longest), gone_(std::move(gone)) {}

  bool is_over() const {
    if (is_client_gone()) return true;
    if (clock_ == nullptr || clock_->steady() < end_) return false;
    has_timed_out_ = true;
    return true;
  }
  /// Whether the work has gone on for so long; never, of one that is never over.
  bool has_lasted(Duration time) const {
    return clock_ != nullptr && clock_->steady() - begin_ >= time;
  }
  bool is_client_gone() const { return gone_ != nullptr && *gone_; }
  /// Work was ended because it took too long.
  bool has_timed_out() const { return has_timed_out_; }
  /// An error that says why, once the limit is over: kDeadline, or kUnavailable where nobody waits
  /// any more.
  Result<void> check() const {
    if (!is_over()) return {};
    if (is_client_gone()) return fail(ErrorCode::kUnavailable, "the client is gone");
    return fail(ErrorCode::kDeadline,
                "the search was ended, it took too long; ask for less: fewer series, by more "
                "matchers, or a shorter time");
  }

 private:
  const Clock* clock_ = nullptr;
  TimePoint begin_{};
  TimePoint end_{};
  std::shared_ptr<const std::atomic<bool>> gone_;
  mutable std::atomic<bool> has_timed_out_{false};
};

}  // namespace vigia::storage::store
