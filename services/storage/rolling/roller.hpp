// Makes the roll-ups of days that are over, customer by customer, on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/rolling/day_roller.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::rolling {

struct RollerStats {
  std::uint64_t days = 0;             ///< of series, rolled up since the start
  std::uint64_t windows = 0;          ///< put
  std::uint64_t days_gone = 0;        ///< marked anew when their raw samples were gone
  std::uint64_t days_lost = 0;        ///< whose samples were gone before roll-ups were made of them
  std::uint64_t unreadable_rows = 0;  ///< of raw, left out of windows
  std::uint64_t windows_kept = 0;     ///< that stay: samples they were made of are damaged
  std::uint64_t failures = 0;         ///< days that stay due because of an error or a fault
  std::uint64_t days_due = 0;         ///< that are over and due, at the last round
  std::uint64_t customers_left = 0;   ///< whose marks the last round has not come to the end of
  TimestampMs oldest_due_ms = 0;      ///< the end of the oldest of them; 0: none
  bool is_resting = false;            ///< the last round has found nothing to make or mark
};

struct RollerSettings {
  /// Between two rounds; one that has made something, or marked, is followed at once.
  Duration interval = std::chrono::minutes(1);
  /// How long a day must be over: until then most of its chunks are still open.
  Duration grace = std::chrono::hours(3);
  /// How long raw waits past its retention for what is due.
  Duration held_max = std::chrono::hours(24 * 7);
  /// After all marks of a customer were looked at, for each: so long they are not looked at again,
  /// unless another day is over. Late samples come all the time, and there may be a million marks.
  Duration pause_per_mark = std::chrono::microseconds(100);
  /// A round ends after a pass over the customers that ends later: what has begun goes on with the
  /// next, where others whose days are over since take part.
  Duration round_max = std::chrono::seconds(10);
  /// For one day of one series.
  std::size_t memory_max = DayRoller::kMemoryMax;
};

/// What the roller is told by others, on its thread.
struct RollerSources {
  /// By clock and records. A day is over by it: one that is ahead only makes it roll up more often.
  std::function<TimestampMs()> now_ms;
  /// The first day (of windows) that is whole in raw by its retention: where roll-ups begin that
  /// are made for the first time.
  std::function<std::uint32_t()> first_day;
  /// The same of customers whose raw is kept longer or shorter than that of all others.
  std::function<CustomerDays()> own_first_days = [] { return CustomerDays(); };
  /// Another number once the store has found more damage, over restarts as well: rows and marks may
  /// have been lost.
  std::function<std::uint64_t()> damage = [] { return 0U; };
  /// False while rows of damaged files still wait to be written anew: no day is made or told to be
  /// lost meanwhile.
  std::function<bool()> is_whole = [] { return true; };
  /// While it is false nothing can be made, and raw waits for nothing. Any thread.
  std::function<bool()> is_writable = [] { return true; };
};

/// Nobody waits for it, and what it has not made is read from raw. A fault or an error costs that
/// series' days this round; where trying again at once would not help, as of days that are too
/// large, its next ones too: 10 minutes, then twice as long each time, a day at the most. Thread
/// contract: any thread; `roll_round` and `let_raw_go` each one at a time.
class Roller {
 public:
  /// All must outlive it; the store marks days.
  Roller(store::ColdStore& cold, RollupBook& book, RollerSources sources,
         RollerSettings settings = {});
  Roller(const Roller&) = delete;
  Roller& operator=(const Roller&) = delete;
  ~Roller();

  /// Starts the thread. What damage was found by now is noted when it returns, as that which comes
  /// later is when this is destroyed.
  void start();
  /// Whatever is due and over, once: of each customer some at a time, in turns. Ends early where it
  /// is being stopped, after round_max, or while rows may come back. True where it made or marked
  /// something, or has not come to the end: meanwhile more may have come.
  bool roll_round();
  RollerStats stats() const;
  /// Before raw samples that are older than the cuts go: notes which days are not whole any more,
  /// and gives the cuts by which they may go: no later, and, for held_max at the most, not those of
  /// days that are due and were so, with the same mark, when it was called before: raw of all who
  /// have no cut of their own goes together, and nobody shall hold it by sending late samples.
  /// Marks that cannot be read hold nothing.
  Result<store::ExpiryCuts> let_raw_go(const store::ExpiryCuts& cuts);
  /// Marks of days before `before_ms`, of which nothing is kept any more, whosesoever they are:
  /// once for each day at the most. How many.
  Result<std::size_t> let_marks_go(TimestampMs before_ms);

 private:
  struct Turn {
    CustomerId customer;
    store::DuePlace next;
    bool is_over = false;
  };
  /// What is known of a customer's marks since they were looked at.
  struct Look {
    std::uint32_t first = 0;  // of the days that are marked, or were meanwhile; UINT32_MAX: none
    std::uint32_t over = 0;   // how many days were over
    TimePoint next{};         // not before, but for another day
    std::uint64_t marks = 0;
    std::uint64_t days_due = 0;
    TimestampMs oldest_due_ms = 0;
  };
  void run();
  void begin_turns();
  std::uint64_t take_turns();
  void count_due();
  void tell_progress();
  bool begin_look(const CustomerId& customer);
  std::uint32_t days_over() const;
  void settle(const CustomerId& customer, const SettledDays& settled);
  bool wait_for_round(Duration longest);
  void look_for_damage();
  bool is_whole() const;
  bool mark_some();
  bool end_walk();
  using Watched = std::map<CustomerId, std::vector<store::DueDay>>;
  /// The place behind it.
  static store::DuePlace after(const store::DuePlace& place);
  Result<std::vector<store::DueDay>> watched_of(const CustomerId& customer,
                                                const store::DayRange& days);
  std::uint32_t first_held_day(std::span<const CustomerId> customers, const store::DayRange& days);
  TimestampMs held_of(std::span<const CustomerId> customers, const RollupNote& note,
                      TimestampMs before_ms);
  bool is_put_off(const CustomerId& customer, store::SeriesId series) const;
  void put_off(const CustomerId& customer, store::SeriesId series);
  static void note_due(std::span<const store::DueDay> days, Look& look);
  std::uint64_t take_turn(Turn& turn);
  std::vector<store::DueDay> over_days(const std::vector<store::DueDay>& days, Look& look) const;
  SettledDays roll(const CustomerId& customer, const std::vector<store::DueDay>& days, Look& look);
  void roll_run(const CustomerId& customer, std::span<const store::DueDay> days, Look& look,
                SettledDays& settled);
  Result<store::SeriesKey> key_of(const CustomerId& customer, store::SeriesId series) const;
  void note_failure(const CustomerId& customer, std::size_t days, const std::string& why);
  bool is_stopping() const;

  store::ColdStore& cold_;
  store::DueDays& due_days_;
  RollupBook& book_;
  const RollerSources sources_;
  const RollerSettings settings_;
  DayRoller day_roller_;
  struct PutOff {
    TimePoint until;
    Duration pause;
  };
  std::map<CustomerId, std::map<store::SeriesId, PutOff>> put_off_;  // some of each
  Watched watched_;            // some marks that let_raw_go saw
  bool is_walk_over_ = false;  // of that over rows, while the time is not known yet
  std::string marked_up_to_;   // of the walk over rows that lie there unmarked
  std::map<CustomerId, Look> looks_;
  std::vector<Turn> turns_;             // of a round that has not come to the end, too
  std::uint32_t forgotten_before_ = 0;  // let_marks_go's
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  RollerStats stats_;
  TimePoint next_log_{};
  std::optional<TimePoint> next_progress_;  // while there is more to do than a round does
  bool has_told_progress_ = false;
  bool is_wanted_ = false;  // a round, at once
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::rolling
