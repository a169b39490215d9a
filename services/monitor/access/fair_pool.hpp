// Threads for work that strangers can ask for: requests, password hashes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"

namespace vigia::monitor::access {

struct FairPoolLimits {
  std::size_t threads;
  std::size_t callers_max;         ///< that wait at once, of each class
  std::size_t jobs_of_caller_max;  ///< that wait
  std::size_t known_max;           ///< callers that are remembered
  /// That wait, of each class. A caller may have as many as are free beside them: alone half, one
  /// of ten a tenth, and there is always room for another's first.
  std::size_t jobs_max = SIZE_MAX;
  std::size_t known_of_owner_max = SIZE_MAX;  ///< of known_max
  int niceness = 0;                           ///< of its threads
  /// So often one job of an owner's known callers is prompt, and of a caller whosever it is: it has
  /// a thread of its own, which is as urgent as the program's others. 0: none is.
  Duration prompt_every{0};
};

/// Callers take turns, however many jobs each has. Those who were found to be who they say have a
/// queue of their own, which takes turns with the strangers': a flood from ten thousand addresses
/// makes strangers wait, and nobody who has proved himself from where he is now. Whoever owns many
/// addresses has a share of the known ones. Thread contract: any thread; the destructor from one
/// that is not the pool's own.
///
/// On a busy machine threads that stand behind all others get a tenth of a core: 30 ms become 300.
/// A flood may wait for that, and who logs in now and then from where he is known does not.
class FairPool {
 public:
  /// The clock must outlive it.
  FairPool(FairPoolLimits limits, const Clock& clock);
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;
  ~FairPool() { stop(); }

  /// False where this caller, or its class, has as many waiting as it may, or after stop; the job
  /// is then not kept. What a job throws ends that job alone.
  bool submit(const std::string& caller, Task<void()> job);
  /// The caller has proved to be of `owner` (a customer). Whoever was remembered longest ago
  /// without a new proof is forgotten first: of that owner where it has as many as it may.
  void note_known(const std::string& caller, const std::string& owner);
  /// Drops what waits; returns when nothing runs any more. Safe twice.
  void stop();

 private:
  struct Queue {
    std::unordered_map<std::string, std::deque<Task<void()>>> jobs;
    std::deque<std::string> turns;  ///< each caller with waiting jobs once
    std::size_t waiting = 0;        ///< jobs of all
  };
  using Order = std::list<std::string>;  ///< of callers, newest proof last
  struct Known {
    std::string owner;
    Order::iterator in_all;
    Order::iterator in_owner;
  };
  /// One that was prompt less than `prompt_every` ago. Apart from the known ones: an owner is
  /// forgotten with its last caller, and who has users of two owners would make each forgotten.
  struct Prompted {
    TimePoint at;
    std::string owner;
    std::string caller;
  };
  void run(bool is_prompt);
  /// REQUIRES for these: mutex_ held; for take and take_of also that something waits.
  bool has_work(bool is_prompt) const;
  Task<void()> take();
  static Task<void()> take_of(Queue& queue);
  Queue& queue_of(const std::string& caller);
  bool take_prompt(const std::string& owner, const std::string& caller);
  /// REQUIRES: mutex_ held.
  bool has_room(const Queue& queue, const std::string& caller) const;
  void forget(const std::string& caller);

  const FairPoolLimits limits_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue prompt_;
  Queue known_;
  Queue strangers_;
  bool is_known_next_ = true;
  Order known_order_;
  std::unordered_map<std::string, Order> known_of_owner_;  ///< never empty ones
  std::unordered_map<std::string, Known> known_callers_;
  std::deque<Prompted> prompted_;  ///< oldest first; no owner and no caller twice
  std::unordered_set<std::string> prompted_owners_;
  std::unordered_set<std::string> prompted_callers_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vigia::monitor::access
