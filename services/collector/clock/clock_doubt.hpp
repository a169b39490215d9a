// Whether our own wall clock may be what is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"

namespace vigia::collector::clock {

/// "More than 5 minutes ahead" is a final refusal, and says as much of our clock as of the
/// sender's. Who of them is right is told by what else is known:
/// - a record that was kept is not of the future: behind it our clock is in doubt (for an hour,
/// then
///   it is believed);
/// - what several customers send: where nearly all of it is ahead, ours is in doubt;
/// - what anybody sends that is near to our clock, for kProvedAfter of steady time: our clock is
///   right, for as long as it goes on evenly with steady time. A start ends that, for a machine may
///   come back with a clock that has stood still.
/// Until then one customer's word stands against our clock's alone, and nothing is decided. Old
/// data says nothing: it is behind the right time and a wrong one. Refusals for the future are to
/// be retryable while it is in doubt, so that nobody loses what was right. Thread contract: any
/// thread.
class ClockDoubt {
 public:
  /// `newest_record_ms`: when the newest record of the log was received, 0 where there is none.
  ClockDoubt(const Clock& clock, std::int64_t newest_record_ms);

  struct Points {
    std::uint32_t count = 0;
    std::uint32_t ahead = 0;     ///< of these, in the future
    std::int64_t newest_ms = 0;  ///< of the others
  };
  /// A request of that customer.
  void note_points(const CustomerId& customer, const Points& points);
  /// A record that is being kept.
  void note_record(std::int64_t received_ms);
  bool is_in_doubt();
  /// What senders say of the wall clock as it stands.
  enum class Proof : std::uint8_t {
    kNone,
    kRight,  ///< near, for kProvedAfter, and not kAhead
    kAhead,  ///< nine tenths of several customers' newest points are older than it by the same
  };
  struct Word {
    Proof proof = Proof::kNone;
    std::int64_t offset_ms = 0;  ///< kRight: of the wall clock that is meant to the steady one
  };
  Word word();

  static constexpr auto kSeenFor = std::chrono::minutes(2);
  static constexpr auto kBelievedAfter = std::chrono::hours(1);
  static constexpr std::int64_t kBehindMin_ms = 60'000;
  /// Senders send a minute's points at the latest, and take a while. What is further ahead may have
  /// been refused before, and waited.
  static constexpr std::int64_t kNearMax_ms = 120'000;
  /// Longer than a buffer that is sent again takes to pass by our time.
  static constexpr auto kProvedAfter = std::chrono::minutes(2);
  /// Lags that differ by no more are the same.
  static constexpr std::int64_t kSameLagMs = 120'000;
  static constexpr auto kLagsEvery = std::chrono::seconds(1);

 private:
  struct Seen {
    TimePoint when{};
    bool is_ahead = false;  // nine tenths of its latest points
  };
  /// Requests whose points are near, without a gap of kSeenFor.
  struct Near {
    TimePoint since{};
    TimePoint last{};
    std::int64_t offset_ms = 0;  // of the wall clock to the steady one
    bool is_proof = false;
  };
  void note_near(TimePoint now);
  std::int64_t offset_ms() const;
  bool is_behind();
  bool is_proved();
  bool are_most_ahead();
  void look_at_lags();

  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t newest_ms_;
  std::optional<TimePoint> behind_since_;
  std::optional<Near> near_;
  std::map<CustomerId, Seen> seen_;  // of the last kSeenFor
  struct Lag {
    TimePoint when{};
    std::int64_t ms = 0;  // the wall clock less the newest point
  };
  std::map<CustomerId, Lag> lags_;  // likewise
  std::optional<TimePoint> lags_seen_;
  bool do_lags_agree_ = false;
};

}  // namespace vigia::collector::clock
