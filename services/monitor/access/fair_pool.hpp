// Threads for password hashes: work that costs much a piece and that strangers can ask for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace vigia::monitor {

struct FairPoolLimits {
  std::size_t threads;
  std::size_t callers_max;         ///< that wait at once, of each class
  std::size_t jobs_of_caller_max;  ///< that wait
  std::size_t known_max;           ///< callers that are remembered
};

/// Callers take turns, however many jobs each has. Those who were found to be who they say have a
/// queue of their own, which takes turns with the strangers': a flood from ten thousand addresses
/// makes strangers wait, and nobody who has logged in from where he is now. The threads run at a
/// low priority, so that the rest of the program goes first. Thread contract: any thread; the
/// destructor from one that is not the pool's own.
class FairPool {
 public:
  explicit FairPool(FairPoolLimits limits);
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;
  ~FairPool() { stop(); }

  /// False where this caller, or its class, has as many waiting as it may, or after stop; the job
  /// is then not kept. What a job throws ends that job alone.
  bool submit(const std::string& caller, std::function<void()> job);
  /// The caller has proved who it is. Whoever was remembered longest ago without a new proof is
  /// forgotten first.
  void note_known(const std::string& caller);
  /// Drops what waits; returns when nothing runs any more. Safe twice.
  void stop();

 private:
  struct Queue {
    std::unordered_map<std::string, std::deque<std::function<void()>>> jobs;
    std::deque<std::string> turns;  ///< each caller with waiting jobs once
  };
  void run();
  std::function<void()> take();  ///< REQUIRES: mutex_ held and something waits

  const FairPoolLimits limits_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue known_;
  Queue strangers_;
  bool is_known_next_ = true;
  std::list<std::string> known_order_;  ///< newest proof last
  std::unordered_map<std::string, std::list<std::string>::iterator> known_callers_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vigia::monitor
