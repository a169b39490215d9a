#include "services/storage/lanes/customer_lanes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/resource.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"

namespace vigia::storage::lanes {
namespace {

// Lanes that hold nothing are kept for what they have used; past so many the old ones go.
constexpr std::size_t kIdleLanesMax = 1'024;

tl::unexpected<Error> busy(std::string text) {
  Error error{ErrorCode::kUnavailable, std::move(text)};
  error.retry_after = std::chrono::seconds(1);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

CustomerLanes::CustomerLanes(LaneSettings settings)
    : settings_(std::move(settings)),
      place_("storage: a job of " + settings_.name),
      bytes_(settings_.name, settings_.bytes_max) {
  // At least one thread is always left to the others, however long one customer's jobs take.
  CHECK(settings_.threads == 1 || settings_.customer_threads < settings_.threads);
  for (std::size_t i = 0; i < settings_.threads; ++i) threads_.emplace_back([this] { run(); });
}

Result<void> CustomerLanes::check_jobs(const Lane* lane) const {
  if (is_stopping_) return busy("storage is stopping, try again");
  const std::size_t own = lane == nullptr ? 0 : lane->jobs.size();
  // While there is plenty of room one customer may have it all; from half on, no more than a
  // quarter.
  if (waiting_ >= settings_.jobs_max / 2 && own >= settings_.jobs_max / 4) {
    return busy(fmt::format("storage: {} take more than one customer's share, try again later",
                            settings_.name));
  }
  if (waiting_ >= settings_.jobs_max) {
    return busy(fmt::format("storage: too many {}, try again", settings_.name));
  }
  return {};
}

Result<void> CustomerLanes::submit(std::string_view customer, std::size_t bytes, Task<void()> job) {
  // Given back below unless the job has it: also where something throws.
  struct Taken {
    ~Taken() {
      if (bytes > 0) shares.give_back(customer, bytes);
    }
    CustomerShares& shares;
    std::string_view customer;
    std::size_t bytes;
  };
  if (auto taken = bytes_.take(customer, bytes); !taken) return taken;
  Taken taken{bytes_, customer, bytes};
  {
    const std::lock_guard lock(mutex_);
    const auto at = lanes_.find(customer);
    if (auto checked = check_jobs(at == lanes_.end() ? nullptr : &at->second); !checked) {
      return checked;
    }
    lane_of(customer).jobs.push_back({std::move(job), bytes});
    taken.bytes = 0;
    ++waiting_;
    if (lanes_.size() > kIdleLanesMax) forget_idle();
  }
  wake_.notify_one();
  return {};
}

bool CustomerLanes::go_on(std::string_view customer, Task<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    lane_of(customer).begun.push_back({std::move(job), 0});
    ++begun_;
  }
  wake_.notify_one();
  return true;
}

CustomerLanes::Lane& CustomerLanes::lane_of(std::string_view customer) {
  auto at = lanes_.find(customer);
  if (at == lanes_.end()) at = lanes_.emplace(std::string(customer), Lane{}).first;
  Lane& lane = at->second;
  // Time that was not used is no credit: a customer who was quiet for a day would otherwise go
  // before all others until it had caught up.
  const bool is_idle = lane.jobs.empty() && lane.begun.empty() && lane.running == 0;
  if (is_idle) lane.used = std::max(lane.used, now_);
  return lane;
}

Result<void> CustomerLanes::check(std::string_view customer) const {
  if (auto room = bytes_.check(customer); !room) return room;
  const std::lock_guard lock(mutex_);
  const auto at = lanes_.find(customer);
  return check_jobs(at == lanes_.end() ? nullptr : &at->second);
}

// A lane that is behind the others' time would begin there anyway.
void CustomerLanes::forget_idle() {
  std::erase_if(lanes_, [this](const auto& entry) {
    const Lane& lane = entry.second;
    const bool is_empty = lane.jobs.empty() && lane.begun.empty();
    return is_empty && lane.running == 0 && lane.used <= now_;
  });
}

// A walk over all lanes, O(customers): they are at most some hundreds, and a job takes far longer.
CustomerLanes::Lanes::iterator CustomerLanes::next_lane() {
  auto best = lanes_.end();
  for (auto at = lanes_.begin(); at != lanes_.end(); ++at) {
    const Lane& lane = at->second;
    const bool is_empty = lane.jobs.empty() && lane.begun.empty();
    if (is_empty || lane.running >= settings_.customer_threads) continue;
    if (best == lanes_.end() || lane.used < best->second.used) best = at;
  }
  return best;
}

CustomerLanes::Job CustomerLanes::take_next(Lane& lane) {
  const bool takes_begun = lane.jobs.empty() || (lane.is_begun_next && !lane.begun.empty());
  lane.is_begun_next = !takes_begun;
  std::deque<Job>& jobs = takes_begun ? lane.begun : lane.jobs;
  Job job = std::move(jobs.front());
  jobs.pop_front();
  --(takes_begun ? begun_ : waiting_);
  return job;
}

void CustomerLanes::run() {
  // Linux knows it by thread. Where it is refused the threads are as urgent as all others.
  if (settings_.nice > 0) (void)setpriority(PRIO_PROCESS, 0, settings_.nice);
  std::unique_lock lock(mutex_);
  while (true) {
    const auto at = next_lane();
    if (at == lanes_.end()) {
      if (is_stopping_ && waiting_ + begun_ == 0) return;
      wake_.wait(lock);
      continue;
    }
    Lane& lane = at->second;  // stays: a lane with something running is never forgotten
    Job job = take_next(lane);
    // now_ only rises: it is the least that a lane which has jobs has used.
    now_ = std::max(now_, lane.used);
    ++lane.running;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    {
      const FaultOwner owner(std::string_view(at->first));
      contain_faults(place_, job.run);
    }
    job.run = nullptr;  // what it holds is let go without the lock
    const Duration took = std::max<Duration>(std::chrono::steady_clock::now() - begin, Duration(1));
    lock.lock();
    // Added only now, when it is known what the job took; running bounds how much a lane can take
    // unseen meanwhile.
    lane.used += took;
    bytes_.give_back(at->first, job.bytes);
    --lane.running;
    wake_.notify_all();  // the lane's next job may have waited for this one
  }
}

void CustomerLanes::stop(TimePoint deadline) {
  Lanes dropped;  // let go without the lock
  {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
    const auto is_done = [this] { return waiting_ + begun_ == 0; };
    if (deadline == TimePoint::max()) {
      wake_.wait(lock, is_done);
    } else if (!wake_.wait_until(lock, deadline, is_done)) {
      for (auto& [customer, lane] : lanes_) {
        dropped[customer].jobs.swap(lane.jobs);
        dropped[customer].begun.swap(lane.begun);
      }
      waiting_ = 0;
      begun_ = 0;
    }
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t CustomerLanes::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace vigia::storage::lanes
