// Customers whose requests a store does not end: what it may still be working on counts.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"

namespace vigia::router::upstream {

/// A request that got no answer even after the store's own time-out may be worked on for ever,
/// while its turn has been given back. Whoever has had kFreeTimeouts of them waits before the next:
/// kPauseMin, twice as long for each one more, kPauseMax at most. No answer makes up for one, since
/// whoever knows it can ask something cheap between them: time alone does. kPauseMax without
/// another takes one away, twice as long takes all. So a store gets 40 an hour of a customer at
/// most, in whatever rhythm they come. Any thread.
class Penalties {
 public:
  static constexpr int kFreeTimeouts = 3;
  static constexpr std::chrono::seconds kPauseMin{5};
  static constexpr std::chrono::seconds kPauseMax{300};
  /// More than make the pause kPauseMax are not counted.
  static constexpr int kTimeoutsMax = kFreeTimeouts + 6;

  /// The clock must outlive it.
  explicit Penalties(const Clock& clock) : clock_(clock) {}

  void note_timeout(const std::string& customer);
  /// How long this customer has to wait; nothing where it may go on.
  std::optional<Duration> pause_of(const std::string& customer) const;
  /// True where so many ended so of late: what it asks goes one at a time.
  bool is_penalised(const std::string& customer) const;

 private:
  struct Customer {
    int timeouts = 0;
    TimePoint last{};
  };
  static Duration pause(const Customer& customer);
  static int timeouts(const Customer& customer, TimePoint now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Customer> customers_;  // that had a time-out of late
};

}  // namespace vigia::router::upstream
