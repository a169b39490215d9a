#include "libs/service/worker_pool.hpp"

#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::service {

WorkerPool::WorkerPool(std::size_t threads, std::size_t jobs_max) : jobs_max_(jobs_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

bool WorkerPool::submit(Task<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || jobs_.size() >= jobs_max_) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::stop(WaitingJobs waiting, TimePoint deadline) {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    deadline_ = waiting == WaitingJobs::kDrop ? TimePoint() : deadline;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  std::deque<Task<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(jobs_);
  }
  // What they hold is let go here, without the lock.
}

std::size_t WorkerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void WorkerPool::run() {
  const SystemClock clock;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
    // With kDrop the deadline is long over: no job that waits is begun, the one under way is
    // finished.
    if (jobs_.empty() || (is_stopping_ && clock.steady() >= deadline_)) return;
    Task<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    contain_faults("a job", job);
    job = nullptr;  // what it held is let go without the lock: that may submit the next one
    lock.lock();
  }
}

}  // namespace vigia::service
