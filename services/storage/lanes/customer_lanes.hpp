// Threads that customers share by turns: whoever has used least time is next.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "services/storage/lanes/customer_shares.hpp"

namespace vigia::storage::lanes {

struct LaneSettings {
  std::string name;                    ///< in answers: "reads"
  std::size_t threads = 2;             ///< at least 2, so that no customer can hold all of them
  std::size_t customer_threads = 1;    ///< that one customer's jobs may hold at once
  std::size_t jobs_max = 256;          ///< that wait, of all customers
  std::size_t bytes_max = 64U << 20U;  ///< that jobs hold, waiting or running
  int nice = 0;  ///< of the threads: others of the process go before those of a higher one
};

/// Each customer has a lane of its own, in which its jobs wait in order. A thread that is free
/// takes the first job of the lane that has used the least time; a lane that was empty begins where
/// the others are, so nobody saves time up. Once half of the jobs or bytes are taken one customer
/// may hold a quarter; others' jobs are still taken then. Thread contract: submit from any thread;
/// stop and the destructor from one that is not its own.
class CustomerLanes {
 public:
  explicit CustomerLanes(LaneSettings settings);
  CustomerLanes(const CustomerLanes&) = delete;
  CustomerLanes& operator=(const CustomerLanes&) = delete;
  ~CustomerLanes() { stop(TimePoint::max()); }

  /// `customer` is whose turn the job uses; "" is a lane as any other, for what is nobody's.
  /// `bytes`: what the job holds until it has run. An error, after which the job is not kept, is
  /// retryable. What a job throws ends that job alone.
  Result<void> submit(std::string_view customer, std::size_t bytes, Task<void()> job);
  /// Takes a further part of what a job of the customer's has begun: in turns with what waits of
  /// it, in the order in which they come, and never refused for want of room nor counted among what
  /// waits, since what is begun holds more until it ends. Whoever begins bounds how many there are.
  /// False, and nothing is kept, once this stops. Never blocks for long.
  bool go_on(std::string_view customer, Task<void()> job);
  /// The error that a job of the customer's would now be refused with for what already waits.
  Result<void> check(std::string_view customer) const;
  /// Runs what waits, at the deadline drops what still does, and returns when nothing runs any
  /// more. Safe twice.
  void stop(TimePoint deadline);
  std::size_t waiting() const;
  /// Bytes of jobs that wait or run.
  std::size_t held() const { return bytes_.taken(); }
  void set_short(bool is_short) { bytes_.set_short(is_short); }

 private:
  struct Job {
    Task<void()> run;
    std::size_t bytes;
  };
  struct Lane {
    std::deque<Job> jobs;
    std::deque<Job> begun;
    bool is_begun_next = true;  // of the two, where both have some
    Duration used{0};           // on the lanes' own time scale: now_
    std::size_t running = 0;
  };
  using Lanes = std::map<std::string, Lane, std::less<>>;

  Result<void> check_jobs(const Lane* lane) const;
  Lane& lane_of(std::string_view customer);
  Job take_next(Lane& lane);
  Lanes::iterator next_lane();
  void forget_idle();
  void run();

  const LaneSettings settings_;
  const std::string place_;  // of its faults
  CustomerShares bytes_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Lanes lanes_;
  Duration now_{0};  // what the lane last served had used
  std::size_t waiting_ = 0;
  std::size_t begun_ = 0;  // parts of what was begun, that wait
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vigia::storage::lanes
