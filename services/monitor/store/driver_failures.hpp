// What the database's driver says of its failures: to the provider in full, to callers in plain
// words.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"

namespace vigia::monitor::store {

/// Begins every error that comes of the driver itself, and no other.
inline constexpr std::string_view kDriverPrefix = "database: ";

/// Thread contract: any thread.
class DriverFailures {
 public:
  explicit DriverFailures(const Clock& clock) : clock_(clock) {}

  /// An error of the driver is counted, logged in full at most once a minute, and comes back with
  /// its code and words that name neither SQL nor file: callers of all customers read them. Any
  /// other error comes back as it is.
  Error take(const Error& error);
  /// Since the start.
  std::uint64_t count() const { return count_; }

 private:
  bool is_log_due();

  const Clock& clock_;
  std::atomic<std::uint64_t> count_{0};
  std::mutex mutex_;
  std::optional<TimePoint> logged_at_;  ///< guarded by mutex_
};

}  // namespace vigia::monitor::store
