// Threads for what must not run on an event loop: decoding, searching, hashing, disk, neighbours.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"

namespace vigia::service {

/// What becomes of the jobs that wait when a pool stops.
enum class WaitingJobs : std::uint8_t { kRun, kDrop };

/// Thread contract: submit and waiting from any thread; stop and the destructor from one that is
/// not the pool's own.
class WorkerPool {
 public:
  /// `jobs_max` jobs may wait; a running one does not count.
  WorkerPool(std::size_t threads, std::size_t jobs_max);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { stop(WaitingJobs::kDrop, {}); }

  /// False where jobs_max wait already, or after stop; the job is then not kept. What a job throws
  /// ends that job alone (libs/base/fault.hpp).
  bool submit(Task<void()> job);
  /// Takes no more jobs. With kRun those that wait are begun until the deadline and dropped after
  /// it; with kDrop none is. Returns when nothing runs any more: a job that runs is not cut off.
  /// Safe twice.
  void stop(WaitingJobs waiting, TimePoint deadline);
  std::size_t waiting() const;

 private:
  void run();

  const std::size_t jobs_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task<void()>> jobs_;
  bool is_stopping_ = false;
  TimePoint deadline_;  // after is_stopping_: no job is begun later
  std::vector<std::thread> threads_;
};

}  // namespace vigia::service
