// How sending goes, as /health and the agent's own metrics show it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/model/signal.hpp"
#include "services/agent/sender/clock_offset.hpp"

namespace vigia::agent::sender {

struct SignalCounts {
  std::uint64_t sent_items = 0;      ///< acknowledged by the collector
  std::uint64_t rejected_items = 0;  ///< of these, not taken (partial success)
  std::uint64_t refused_items = 0;   ///< in requests refused for good, set aside in files
};

/// Thread contract: any thread.
class SenderStatus {
 public:
  explicit SenderStatus(const Clock& clock) : clock_(clock), offset_(clock) {}

  void note_sent(Signal signal, std::uint64_t items, std::uint64_t rejected);
  void note_refused(Signal signal, std::uint64_t items, std::string reason);
  /// Of what was sent the collector has left these out: their times are ahead of its clock.
  void note_future(std::uint64_t items);
  /// Nothing gets through at present: no connection, no room there, or the token is not taken.
  void note_failure(std::string reason);

  /// True while the collector takes what we send; false until the first answer.
  bool is_reachable() const;
  /// Why it is not, and how far the clocks are apart where that may be why; "" while it is.
  std::string failure() const;
  /// Why data was refused for good within the last kRefusalShown; "" where none was.
  std::string recent_refusal() const;
  /// Why points were refused as ahead within the last kRefusalShown, if it is this node's clock, or
  /// nobody knows whose; "" where none were, or an application's own clock is wrong.
  std::string recent_future() const;
  SignalCounts counts(Signal signal) const;
  ClockOffset& clock_offset() { return offset_; }
  const ClockOffset& clock_offset() const { return offset_; }

  static constexpr Duration kRefusalShown = std::chrono::minutes(5);
  /// With clocks closer than this it is not the node's that makes points come from the future.
  static constexpr double kClockTrustedSeconds = 60;

 private:
  static constexpr Duration kLogInterval = std::chrono::minutes(1);

  SignalCounts& of(Signal signal) { return counts_[static_cast<std::size_t>(signal) - 1]; }

  const Clock& clock_;
  ClockOffset offset_;
  mutable std::mutex mutex_;  // guards all below
  bool is_reachable_ = false;
  std::string failure_ = "no answer of the collector yet";
  std::string refusal_;
  TimePoint refused_at_{};
  std::uint64_t future_items_ = 0;
  TimePoint future_at_{};
  TimePoint logged_at_{-2 * kLogInterval};
  std::array<SignalCounts, 3> counts_{};
};

}  // namespace vigia::agent::sender
