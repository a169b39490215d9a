// Whether our own wall clock may be what is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"

namespace vigia::collector {

/// "More than 5 minutes ahead" is a final refusal, and says as much of our clock as of the
/// sender's. It is in doubt where it is behind a record that was kept (for an hour, then it is
/// believed), and where nearly all that several customers send is ahead of it. Refusals for the
/// future are then to be retryable, so that nobody loses what was right.
/// Thread contract: any thread.
class ClockDoubt {
 public:
  /// `newest_record_ms`: when the newest record of the log was received, 0 where there is none.
  ClockDoubt(const Clock& clock, std::int64_t newest_record_ms);

  /// A request of so many points, of which `ahead` lie in the future.
  void note_points(const CustomerId& customer, std::uint32_t points, std::uint32_t ahead);
  /// A record that is being kept.
  void note_record(std::int64_t received_ms);
  bool is_in_doubt();

  static constexpr auto kSeenFor = std::chrono::minutes(2);
  static constexpr auto kBelievedAfter = std::chrono::hours(1);
  static constexpr std::int64_t kBehindMin_ms = 60'000;

 private:
  struct Seen {
    TimePoint when{};
    bool is_ahead = false;  // nine tenths of its latest points
  };
  bool is_behind();
  bool are_most_ahead();

  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t newest_ms_;
  std::optional<TimePoint> behind_since_;
  std::map<CustomerId, Seen> seen_;  // of the last kSeenFor
};

}  // namespace vigia::collector
