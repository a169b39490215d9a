// The time that we write into stores of our own accord: the wall clock only where something else
// has confirmed it.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "libs/base/clock.hpp"

namespace vigia::collector::clock {

/// A sample of ours with a time that has not come shuts a store for everybody: Prometheus refuses
/// what lies too far before its newest. So a step of the wall clock by more than kSlackMs is not
/// followed until senders prove the new time (ClockDoubt) or it has stood for kBelievedAfter of
/// steady time, nobody speaking against it; until then time goes on by the steady clock. At the
/// start no time is known, but where the last run's is not far.
/// Thread contract: any thread.
class ConfirmedTime {
 public:
  explicit ConfirmedTime(const Clock& clock) : clock_(clock) {}

  struct Now {
    std::int64_t ms = 0;        ///< since 1970
    std::uint64_t changes = 0;  ///< how often time was set anew: what was read before is of another
  };
  /// Nothing before a time was confirmed. To be asked now and then, so that a step is seen.
  std::optional<Now> now();
  /// The wall clock where none was confirmed: for what must have a time and is thrown away or
  /// corrected by nothing.
  std::int64_t now_or_wall_ns();
  std::int64_t now_or_wall_ms() { return now_or_wall_ns() / 1'000'000; }

  /// Senders have proved the wall clock, as it stood so far from the steady one.
  void confirm(std::int64_t offset_ms);
  /// Most senders' newest points lie behind it by the same.
  void contradict();
  /// A time that was confirmed in an earlier run and has certainly passed. Believed with the wall
  /// clock where that is at most kResumedMaxMs behind it; heeded until a time is known.
  void resume(std::int64_t earlier_ms);
  /// What a store's clock says at this moment, to which nothing was ever written: as good as
  /// senders where neither an earlier run nor anything else is known.
  void compare(std::int64_t other_ms);
  /// Whether the wall clock stands where it was confirmed.
  bool is_confirmed();

  static constexpr std::int64_t kSlackMs = 60'000;
  /// A restart takes some minutes now and then; a store takes what is so far ahead and goes on.
  static constexpr std::int64_t kResumedMaxMs = 30 * 60'000;
  static constexpr auto kBelievedAfter = std::chrono::hours(1);

 private:
  struct Step {
    std::int64_t offset_ns = 0;
    TimePoint since{};
  };
  struct Look {
    std::int64_t wall_ns = 0;
    TimePoint steady{};
    std::int64_t offset_ns() const { return wall_ns - steady.time_since_epoch().count(); }
  };
  Look look() const { return {clock_.wall_ns(), clock_.steady()}; }
  void set(std::int64_t offset_ns);
  std::optional<std::int64_t> follow();  // under the lock

  const Clock& clock_;
  std::mutex mutex_;
  std::optional<std::int64_t> offset_ns_;  // of the confirmed time to the steady one
  std::optional<Step> step_;               // where the wall clock stands, if elsewhere
  bool is_resumed_ = false;
  std::uint64_t changes_ = 0;
};

}  // namespace vigia::collector::clock
