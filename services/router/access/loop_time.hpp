// How much of the event loops' time each customer has taken of late.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"

namespace vigia::router::access {

/// A query is read, fenced and planned on the event loop that it came by, which takes a tenth of a
/// millisecond as a rule and, of a text that is short to write and long to read, some tens. On each
/// of a thousand connections such a one is a minute in which nobody else is answered. So each
/// customer has a part of the loops' time, kShare of one core's and kBurst at once; what it asks
/// beyond that is to wait among its own, where one of it is read at a time. Of time what a
/// processor has worked, so that a machine that is busy otherwise counts against nobody.
///
/// Any thread. What it remembers of customers is bounded by those that have taken something of
/// late.
class LoopTime {
 public:
  static constexpr Duration kBurst = std::chrono::milliseconds(20);
  static constexpr double kShare = 0.2;

  /// The clock must outlive it.
  explicit LoopTime(const Clock& clock) : clock_(clock) {}

  /// Whether what the customer ("": operators) asks now may be read on the loop.
  bool has_left(const std::string& customer);
  void spend(const std::string& customer, Duration worked);
  /// What this thread's processor has worked by now, for the difference.
  static Duration worked();

 private:
  static constexpr std::size_t kRememberedMin = 256;

  /// What is left at a time; more since.
  struct Left {
    Duration left = kBurst;
    TimePoint at;
    Duration now(TimePoint time) const;
  };

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Left> customers_;         // who is not there has all
  std::size_t look_through_at_ = kRememberedMin;  // how many there are when those go who have all
};

/// Counts what the calling thread works while it lives. Spends it where it ends, whatever ended it.
class LoopWork {
 public:
  LoopWork(LoopTime& time, const std::string& customer)
      : time_(time), customer_(customer), began_(LoopTime::worked()) {}
  LoopWork(const LoopWork&) = delete;
  LoopWork& operator=(const LoopWork&) = delete;
  ~LoopWork() { time_.spend(customer_, LoopTime::worked() - began_); }

 private:
  LoopTime& time_;
  const std::string& customer_;
  const Duration began_;
};

}  // namespace vigia::router::access
