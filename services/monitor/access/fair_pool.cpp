#include "services/monitor/access/fair_pool.hpp"

#include <utility>

#include <sys/resource.h>

#include "libs/base/fault.hpp"

namespace vigia::monitor {
namespace {

constexpr int kNiceness = 10;

}  // namespace

FairPool::FairPool(FairPoolLimits limits) : limits_(limits) {
  for (std::size_t i = 0; i < limits_.threads; ++i) threads_.emplace_back([this] { run(); });
}

bool FairPool::submit(const std::string& caller, std::function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    if (is_stopping_) return false;
    Queue& queue = known_callers_.contains(caller) ? known_ : strangers_;
    const auto found = queue.jobs.find(caller);
    if (found == queue.jobs.end()) {
      if (queue.jobs.size() >= limits_.callers_max) return false;
      queue.jobs[caller].push_back(std::move(job));
      queue.turns.push_back(caller);
    } else {
      if (found->second.size() >= limits_.jobs_of_caller_max) return false;
      found->second.push_back(std::move(job));
    }
  }
  wake_.notify_one();
  return true;
}

void FairPool::note_known(const std::string& caller) {
  const std::scoped_lock lock(mutex_);
  const auto found = known_callers_.find(caller);
  if (found != known_callers_.end()) {
    known_order_.splice(known_order_.end(), known_order_, found->second);
    return;
  }
  if (known_callers_.size() >= limits_.known_max) {
    known_callers_.erase(known_order_.front());
    known_order_.pop_front();
  }
  known_order_.push_back(caller);
  known_callers_.emplace(caller, std::prev(known_order_.end()));
}

void FairPool::stop() {
  Queue known;
  Queue strangers;  // what they hold is let go without the lock
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    std::swap(known, known_);
    std::swap(strangers, strangers_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::function<void()> FairPool::take() {
  const bool is_known = known_.turns.empty() ? false : strangers_.turns.empty() || is_known_next_;
  is_known_next_ = !is_known;
  Queue& queue = is_known ? known_ : strangers_;
  auto caller = std::move(queue.turns.front());
  queue.turns.pop_front();
  const auto found = queue.jobs.find(caller);
  auto job = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) {
    queue.jobs.erase(found);
  } else {
    queue.turns.push_back(std::move(caller));
  }
  return job;
}

void FairPool::run() {
  // Of this thread alone on Linux. Where it is not allowed, it runs as the rest does.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNiceness));
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] {
      return is_stopping_ || !known_.turns.empty() || !strangers_.turns.empty();
    });
    if (is_stopping_) return;
    auto job = take();
    lock.unlock();
    contain_faults("a log-in", job);
    job = nullptr;  // what it held is let go without the lock
    lock.lock();
  }
}

}  // namespace vigia::monitor
