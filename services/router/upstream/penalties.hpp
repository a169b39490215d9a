// Customers whose requests a store does not end: what it may still be working on counts.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"

namespace vigia::router {

/// A request that got no answer even after the store's own time-out may be worked on for ever,
/// while its turn has been given back. Whoever has had kFreeTimeouts of them in a row waits before
/// the next: kPauseMin, twice as long each time, kPauseMax at most. One that is answered, whatever
/// the answer, ends it. Customers that have been quiet for twice kPauseMax are forgotten. Any
/// thread.
class Penalties {
 public:
  static constexpr int kFreeTimeouts = 3;
  static constexpr std::chrono::seconds kPauseMin{5};
  static constexpr std::chrono::seconds kPauseMax{300};

  /// The clock must outlive it.
  explicit Penalties(const Clock& clock) : clock_(clock) {}

  void note_timeout(const std::string& customer);
  void note_answer(const std::string& customer);
  /// How long this customer has to wait; nothing where it may go on.
  std::optional<Duration> pause_of(const std::string& customer) const;
  /// True where the last ones ended so: what it asks goes one at a time.
  bool is_penalised(const std::string& customer) const;

 private:
  struct Customer {
    int timeouts = 0;
    TimePoint last{};
  };
  static Duration pause(const Customer& customer);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Customer> customers_;  // whose last request had no answer
};

}  // namespace vigia::router
