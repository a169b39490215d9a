// Which customer's slow question is worked on next.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "libs/base/task.hpp"
#include "libs/service/worker_pool.hpp"

namespace vigia::monitor::api {

struct CustomerTurnLimits {
  std::size_t at_once = 1;  ///< of one customer; fewer than the pool has threads
  std::size_t waiting = 1;  ///< of one customer
  std::size_t threads = 1;  ///< that the pool has
  /// Of all customers; past it only whoever has none waiting is taken.
  std::size_t all_waiting = 512;
};

/// Jobs that may take seconds, in turn by customer: however many curves one asks for, another's
/// next one is worked on at once. The pool holds no more of its jobs than it has threads: what
/// waits for a turn takes no room of others there. Thread contract: `submit` from any thread; the
/// pool ends before this.
class CustomerTurns {
 public:
  CustomerTurns(service::WorkerPool& workers, CustomerTurnLimits limits)
      : workers_(workers), limits_(limits) {}
  CustomerTurns(const CustomerTurns&) = delete;
  CustomerTurns& operator=(const CustomerTurns&) = delete;

  /// False where this customer has as many waiting as it may, or the pool takes nothing and runs
  /// nothing of this.
  bool submit(const std::string& customer, Task<void()> job);

 private:
  struct Lane {
    std::deque<Task<void()>> jobs;
    std::size_t running = 0;
  };
  using Lanes = std::map<std::string, Lane>;

  void run_while_there_are_turns();
  bool has_room_for(const Lane& lane) const;
  /// The lane after the last one that has a job and a turn left. Under the lock.
  Lanes::iterator next_lane();

  service::WorkerPool& workers_;
  const CustomerTurnLimits limits_;
  std::mutex mutex_;
  Lanes lanes_;              ///< guarded by mutex_; of those only that have jobs or run one
  std::size_t waiting_ = 0;  ///< guarded by mutex_; jobs in all lanes
  std::size_t runners_ = 0;  ///< guarded by mutex_; in the pool, running or waiting there
  std::string last_;         ///< guarded by mutex_; whose job began last
};

}  // namespace vigia::monitor::api
