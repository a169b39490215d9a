// What Prometheus makes itself and the store lacks is fetched from it, on a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/healing/heal_note.hpp"
#include "services/storage/healing/hole_filler.hpp"
#include "services/storage/healing/hot_store.hpp"

namespace vigia::storage::healing {

struct HealStats {
  HealCounts counts;              ///< since the start
  std::uint64_t stretches = 0;    ///< of a customer, that were compared
  std::uint64_t failures = 0;     ///< stretches, or questions, that are tried again
  std::uint64_t passed_over = 0;  ///< stretches too large to be asked for, or that always fail
  std::uint64_t unknown_customers = 0;  ///< that hot named, at the last round
  TimestampMs behind_ms = 0;            ///< since when some customer was not compared; 0: nobody
};

/// What the healer is told by others, on its thread.
struct HealSources {
  /// By clock and records, the earlier of the two; 0: not known, and nothing is compared. Only what
  /// is over by it is compared: what was compared once is not again.
  std::function<TimestampMs()> now_ms;
  /// The customer's samples before it are not kept.
  std::function<TimestampMs(const CustomerId&)> kept_from_ms;
  /// False while nothing can be written, or rows of damaged files still wait to be written back.
  std::function<bool()> is_whole;
};

/// A stretch of each customer in turns, so that nobody's holes hold up another's; whoever fails
/// waits, alone; who is furthest behind comes first. Thread contract: stats from any thread; the
/// rest from one.
class Healer {
 public:
  /// `cold` and what it refers to must outlive it.
  Healer(const HealSettings& settings, std::unique_ptr<HotStore> hot, HealNote note,
         const ColdParts& cold, HealSources sources, const Clock& clock);
  Healer(const Healer&) = delete;
  Healer& operator=(const Healer&) = delete;
  ~Healer() { stop(); }

  /// Starts the thread.
  void start();
  /// Ends it, soon: what is being asked ends. Once it returns nothing is written any more; stats
  /// goes on. Again: nothing.
  void stop();
  /// Whatever is over and not compared yet, once. Ends early where it is being stopped, where hot
  /// does not answer, and after ten minutes: true then, there is more.
  bool heal_round();
  HealStats stats() const;

 private:
  struct Turn {
    CustomerId customer;
    TimestampMs begin_ms = 0;  // at the round's begin
    TimestampMs span_ms = 0;   // of the next stretch
    bool is_over = false;
  };
  void run();
  std::vector<Turn> begin_turns(TimestampMs closed_ms);
  Result<void> learn_customers(std::vector<Turn>& turns, TimestampMs closed_ms);
  bool take_turns(std::vector<Turn>& turns, TimestampMs closed_ms);
  void take_turn(Turn& turn, TimestampMs closed_ms);
  void put_off(const Turn& turn, TimestampMs begin_ms, const Error& error);
  bool may_be_cut(const CustomerId& customer, const Error& error) const;
  bool is_hopeless(const CustomerId& customer, const Error& error) const;
  void pass_over(const CustomerId& customer, const Stretch& stretch, const Error& error);
  // How many samples hot has of it.
  Result<std::uint64_t> heal(const CustomerId& customer, const Stretch& stretch);
  Result<std::uint64_t> heal_once(const CustomerId& customer, const Stretch& stretch);
  TimestampMs begin_of(const CustomerId& customer) const;
  void set_back(TimestampMs closed_ms);
  TimestampMs first_begin(const CustomerId& customer, TimestampMs closed_ms) const;
  TimestampMs closed_ms() const;
  TimestampMs up_to(TimestampMs time_ms) const;
  void note_failure(const std::string& whose, const Error& error);
  void keep_note();
  void tell(const HealStats& before, TimestampMs closed_ms);
  bool is_stopping() const { return *is_stopping_; }

  const HealSettings settings_;
  const TimestampMs interval_ms_;
  const std::unique_ptr<HotStore> hot_;
  const HealNote note_;
  const ColdParts cold_;
  const HealSources sources_;
  const Clock& clock_;
  bool is_first_start_ = false;  // there was no note that could be read
  HealedUpTo healed_;
  TimestampMs noted_ms_ = 0;                 // the newest time of the note at the start
  std::optional<TimestampMs> floor_ms_;      // HealNote::floor_ms; not known: now
  std::set<CustomerId> came_before_;         // the start, and are in no note
  bool is_noted_ = true;                     // whoever came since the last round is in the note
  std::map<CustomerId, TimePoint> put_off_;  // whoever has failed, until then
  TimePoint hot_put_off_{};
  std::size_t unanswered_ = 0;  // turns in a row
  bool is_hot_silent_ = false;  // did not answer what it was asked last
  std::uint64_t answers_ = 0;   // of hot, since the start
  struct Failing {
    TimestampMs begin_ms = 0;
    std::size_t times = 0;      // in a row, that it failed there and a part of it may not
    std::uint64_t answers = 0;  // of hot, up to the last time
  };
  std::map<CustomerId, Failing> failing_;
  std::string first_failure_;  // of this round
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  HealStats stats_;
  const std::shared_ptr<std::atomic<bool>> is_stopping_ =
      std::make_shared<std::atomic<bool>>(false);
  std::thread thread_;
};

}  // namespace vigia::storage::healing
