#include "services/monitor/api/customer_turns.hpp"

#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::monitor::api {

bool CustomerTurns::has_room_for(const Lane& lane) const {
  if (lane.jobs.empty()) return true;
  return lane.jobs.size() < limits_.waiting && waiting_ < limits_.all_waiting;
}

bool CustomerTurns::submit(const std::string& customer, Task<void()> job) {
  // Under the lock to its end: whoever is refused must not find its job run by another's turn. The
  // pool runs nothing while it takes a job.
  const std::scoped_lock lock(mutex_);
  const auto lane = lanes_.try_emplace(customer).first;
  auto& jobs = lane->second.jobs;
  if (!has_room_for(lane->second)) return false;
  if (runners_ < limits_.threads && workers_.submit([this] { run_while_there_are_turns(); })) {
    ++runners_;
  }
  if (runners_ == 0) {
    if (jobs.empty() && lane->second.running == 0) lanes_.erase(lane);
    return false;
  }
  jobs.push_back(std::move(job));
  ++waiting_;
  return true;
}

// After the one that was served last, in the order of their names and round: each customer that
// waits has a turn before any has its second, however many jobs it has.
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
    Task<void()> job;
    std::string customer;
    {
      const std::scoped_lock lock(mutex_);
      const auto lane = next_lane();
      if (lane == lanes_.end()) {
        --runners_;  // in the same breath: what is submitted from now on brings a runner along
        return;
      }
      job = std::move(lane->second.jobs.front());
      lane->second.jobs.pop_front();
      --waiting_;
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

}  // namespace vigia::monitor::api
