#include "services/monitor/access/fair_pool.hpp"

#include <iterator>
#include <utility>

#include <sys/resource.h>

#include "libs/base/fault.hpp"

namespace vigia::monitor::access {

FairPool::FairPool(FairPoolLimits limits, const Clock& clock) : limits_(limits), clock_(clock) {
  for (std::size_t i = 0; i < limits_.threads; ++i) threads_.emplace_back([this] { run(false); });
  if (limits_.prompt_every > Duration{0}) threads_.emplace_back([this] { run(true); });
}

bool FairPool::take_prompt(const std::string& owner, const std::string& caller) {
  if (limits_.prompt_every == Duration{0} || prompt_.waiting >= limits_.callers_max) return false;
  const auto now = clock_.steady();
  // By owner and by caller: a customer with many addresses, and an address with many customers'
  // tokens, have one prompt turn each and not one for each pair.
  while (!prompted_.empty() && now - prompted_.front().at >= limits_.prompt_every) {
    prompted_owners_.erase(prompted_.front().owner);
    prompted_callers_.erase(prompted_.front().caller);
    prompted_.pop_front();
  }
  if (prompted_owners_.contains(owner) || prompted_callers_.contains(caller)) return false;
  prompted_owners_.insert(owner);
  prompted_callers_.insert(caller);
  prompted_.push_back({now, owner, caller});
  return true;
}

FairPool::Queue& FairPool::queue_of(const std::string& caller) {
  const auto known = known_callers_.find(caller);
  if (known == known_callers_.end()) return strangers_;
  return take_prompt(known->second.owner, caller) ? prompt_ : known_;
}

bool FairPool::has_room(const Queue& queue, const std::string& caller) const {
  if (queue.waiting >= limits_.jobs_max) return false;
  const auto found = queue.jobs.find(caller);
  if (found == queue.jobs.end()) return queue.jobs.size() < limits_.callers_max;
  return found->second.size() < limits_.jobs_of_caller_max &&
         // As many as are free beside them: see the header for what that gives each.
         found->second.size() < limits_.jobs_max - queue.waiting;
}

bool FairPool::submit(const std::string& caller, Task<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    if (is_stopping_) return false;
    Queue& queue = queue_of(caller);
    if (!has_room(queue, caller)) return false;
    auto& jobs = queue.jobs[caller];
    if (jobs.empty()) queue.turns.push_back(caller);
    jobs.push_back(std::move(job));
    ++queue.waiting;
  }
  if (limits_.prompt_every == Duration{0}) {
    wake_.notify_one();
  } else {
    wake_.notify_all();  // one of those who stand behind may not take what is prompt
  }
  return true;
}

void FairPool::forget(const std::string& caller) {
  const auto found = known_callers_.find(caller);
  const auto owner = known_of_owner_.find(found->second.owner);
  known_order_.erase(found->second.in_all);
  owner->second.erase(found->second.in_owner);
  if (owner->second.empty()) known_of_owner_.erase(owner);
  known_callers_.erase(found);
}

void FairPool::note_known(const std::string& caller, const std::string& owner) {
  const std::scoped_lock lock(mutex_);
  if (known_callers_.contains(caller)) forget(caller);
  const auto own = known_of_owner_.find(owner);
  // Its own oldest goes first: whoever logs in from ever new addresses forgets itself, not the
  // others.
  if (own != known_of_owner_.end() && own->second.size() >= limits_.known_of_owner_max) {
    forget(std::string(own->second.front()));
  }
  if (known_callers_.size() >= limits_.known_max) forget(std::string(known_order_.front()));
  known_order_.push_back(caller);
  Order& of_owner = known_of_owner_[owner];
  of_owner.push_back(caller);
  known_callers_.emplace(caller,
                         Known{owner, std::prev(known_order_.end()), std::prev(of_owner.end())});
}

void FairPool::stop() {
  Queue prompt;
  Queue known;
  Queue strangers;  // what they hold is let go without the lock
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    std::swap(prompt, prompt_);
    std::swap(known, known_);
    std::swap(strangers, strangers_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

Task<void()> FairPool::take() {
  // In turns, not first the known: who logs in is a stranger until then.
  const bool is_known = known_.turns.empty() ? false : strangers_.turns.empty() || is_known_next_;
  is_known_next_ = !is_known;
  return take_of(is_known ? known_ : strangers_);
}

Task<void()> FairPool::take_of(Queue& queue) {
  auto caller = std::move(queue.turns.front());
  queue.turns.pop_front();
  const auto found = queue.jobs.find(caller);
  auto job = std::move(found->second.front());
  found->second.pop_front();
  --queue.waiting;
  // To the end of the line after each job, so that it is a turn a caller and not a job a caller.
  if (found->second.empty()) {
    queue.jobs.erase(found);
  } else {
    queue.turns.push_back(std::move(caller));
  }
  return job;
}

bool FairPool::has_work(bool is_prompt) const {
  if (is_prompt) return !prompt_.turns.empty();
  return !known_.turns.empty() || !strangers_.turns.empty();
}

void FairPool::run(bool is_prompt) {
  // Of this thread alone on Linux. Where it is not allowed, it runs as the rest does.
  if (!is_prompt) static_cast<void>(::setpriority(PRIO_PROCESS, 0, limits_.niceness));
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return is_stopping_ || has_work(is_prompt); });
    if (is_stopping_) return;
    auto job = is_prompt ? take_of(prompt_) : take();
    lock.unlock();
    contain_faults("a request", job);
    job = nullptr;  // what it held is let go without the lock
    lock.lock();
  }
}

}  // namespace vigia::monitor::access
