// Whose bodies have taken event loops too long, and so go elsewhere for a while.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "libs/base/clock.hpp"

namespace vigia::net::internal {

/// What a body costs is known when it is done, and a small one may become much: labels times
/// points. So an owner pays for each that took a loop too long: for kPaid times as long its bodies,
/// small ones too, go to the workers, where each owner has lanes of its own. Of a loop's time long
/// bodies of one owner take a kPaid-th then, however they are made. Thread-safe.
class LoopDebts {
 public:
  static constexpr int kPaid = 50;
  static constexpr std::chrono::seconds kAwayMax{60};
  /// What has passed may be other threads' work. Who took long by that is measured by processor
  /// time for so long, and by nothing else comes to owe.
  static constexpr std::chrono::seconds kWatched{60};
  /// Owners kept in mind; where there are more, one of them is forgotten.
  static constexpr std::size_t kOwnersMax = 8192;

  /// `clock` must outlive the debts.
  explicit LoopDebts(const Clock& clock = system_clock()) : clock_(clock) {}

  /// Whether its bodies are the workers' now, whatever their size.
  bool is_away(const std::string& owner) const;
  /// Whether its bodies are to be measured by processor time.
  bool is_watched(const std::string& owner) const;
  /// A body of his took a loop so long, too long.
  void note(const std::string& owner, bool is_by_processor, std::chrono::nanoseconds took);

 private:
  struct Debt {
    TimePoint away_until;
    TimePoint watched_until;
  };
  static const Clock& system_clock();
  Debt debt_of(const std::string& owner) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Debt> debts_;  // guarded by mutex_
  std::atomic<bool> has_debts_ = false;          // without: nobody takes the lock
};

}  // namespace vigia::net::internal
