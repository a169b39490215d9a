// Threads for what must not run on an event loop: decoding, searching, reading from disk.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vigia::storage {

/// Thread contract: submit from any thread, stop and the destructor from one that is not its own.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t jobs_max);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  /// False where jobs_max wait already, or after stop; the job is then dropped.
  bool submit(std::function<void()> job);
  /// Runs what waits, then ends the threads. Safe twice.
  void stop();
  std::size_t waiting() const;

 private:
  void run();

  const std::size_t jobs_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vigia::storage
