// When log records came, as numbers that only grow, and what times they have: for whoever follows a
// customer's records as they come.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/time_spans.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Knows the times of what has come for customers that somebody has asked about in the last two
/// minutes, and of others nothing. Of those it keeps kStepsMax steps each. Any thread.
class ArrivalBook {
 public:
  static constexpr std::size_t kStepsMax = 128;

  /// A request that is being written: over once this is destroyed, whatever became of it. One
  /// thread.
  class Arrival {
   public:
    Arrival(ArrivalBook& book, CustomerId customer, std::uint64_t number)
        : book_(book), customer_(std::move(customer)), number_(number) {}
    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;
    ~Arrival() { book_.end(customer_, number_, times_); }
    std::uint64_t number() const { return number_; }
    /// Of the records that are written, as they are filed.
    void note(const TimeSpans& times) { times_.add(times); }

   private:
    ArrivalBook& book_;
    const CustomerId customer_;
    const std::uint64_t number_;
    TimeSpans times_;
  };

  explicit ArrivalBook(const Clock& clock) : clock_(clock) {}
  /// Before the first: numbers go on behind it.
  void begin_behind(std::uint64_t number) { last_ = number; }
  /// ms since 1970, or one more than the one before where that is not earlier: requests come many
  /// in a millisecond, and a clock may be set back; neither may change their order.
  Arrival open(const CustomerId& customer, TimestampMs now_ms);

  /// EventStore::log_arrivals. What it does not know itself, as after a start, are times from ten
  /// minutes before `after` on.
  LogArrivals since(const CustomerId& customer, std::optional<std::uint64_t> after);

 private:
  /// What came up to a number, behind the step before.
  struct Step {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    TimeSpans times;
  };
  struct Followed {
    std::uint64_t from = 0;  // what came behind it is known
    TimePoint asked;
    std::deque<Step> steps;
  };

  void end(const CustomerId& customer, std::uint64_t number, const TimeSpans& times);
  std::uint64_t settled(const CustomerId& customer) const;
  void forget_unasked(TimePoint now);
  static TimeSpans unknown_times(std::uint64_t after, TimestampMs now_ms);

  const Clock& clock_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::multimap<CustomerId, std::uint64_t> open_;
  std::map<CustomerId, Followed> followed_;
};

}  // namespace vigia::storage::store::rocksdb::events
