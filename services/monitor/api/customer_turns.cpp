#include "services/monitor/api/customer_turns.hpp"

#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::monitor {

bool CustomerTurns::submit(const std::string& customer, std::function<void()> job) {
  // Under the lock to its end: whoever is refused must not find its job run by another's turn. The
  // pool runs nothing while it takes a job.
  const std::scoped_lock lock(mutex_);
  const auto lane = lanes_.try_emplace(customer).first;
  auto& jobs = lane->second.jobs;
  if (jobs.size() >= limits_.waiting) return false;
  jobs.push_back(std::move(job));
  if (workers_.submit([this] { run_while_there_are_turns(); })) return true;
  jobs.pop_back();
  if (jobs.empty() && lane->second.running == 0) lanes_.erase(lane);
  return false;
}

CustomerTurns::Lanes::iterator CustomerTurns::next_lane() {
  auto lane = lanes_.upper_bound(last_);
  for (std::size_t i = 0; i < lanes_.size(); ++i, ++lane) {
    if (lane == lanes_.end()) lane = lanes_.begin();
    if (!lane->second.jobs.empty() && lane->second.running < limits_.at_once) return lane;
  }
  return lanes_.end();
}

void CustomerTurns::run_while_there_are_turns() {
  while (true) {
    std::function<void()> job;
    std::string customer;
    {
      const std::scoped_lock lock(mutex_);
      const auto lane = next_lane();
      if (lane == lanes_.end()) return;
      job = std::move(lane->second.jobs.front());
      lane->second.jobs.pop_front();
      ++lane->second.running;
      customer = lane->first;
      last_ = customer;
    }
    contain_faults("a slow request", job);
    const std::scoped_lock lock(mutex_);
    const auto lane = lanes_.find(customer);
    --lane->second.running;
    if (lane->second.jobs.empty() && lane->second.running == 0) lanes_.erase(lane);
  }
}

}  // namespace vigia::monitor
