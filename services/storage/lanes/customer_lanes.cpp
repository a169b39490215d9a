#include "services/storage/lanes/customer_lanes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/base/fault.hpp"

namespace vigia::storage {
namespace {

// Lanes that hold nothing are kept for what they have used; past so many the old ones go.
constexpr std::size_t kIdleLanesMax = 1'024;

tl::unexpected<Error> busy(std::string text) {
  Error error{ErrorCode::kUnavailable, std::move(text)};
  error.retry_after = std::chrono::seconds(1);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

CustomerLanes::CustomerLanes(LaneSettings settings) : settings_(std::move(settings)) {
  CHECK(settings_.threads >= 2 && settings_.customer_threads < settings_.threads);
  for (std::size_t i = 0; i < settings_.threads; ++i) threads_.emplace_back([this] { run(); });
}

Result<void> CustomerLanes::check_shares(std::string_view customer, const Lane* lane,
                                         std::size_t bytes) const {
  const bool holds_nothing = lane == nullptr || (lane->jobs.empty() && lane->running == 0);
  if (holds_nothing && waiting_ < settings_.jobs_max) return {};
  const std::size_t own_jobs = lane == nullptr ? 0 : lane->jobs.size();
  const std::size_t own_bytes = bytes + (lane == nullptr ? 0 : lane->bytes);
  const bool is_over_share =
      (waiting_ >= settings_.jobs_max / 2 && own_jobs >= settings_.jobs_max / 4) ||
      (bytes_ + bytes > settings_.bytes_max / 2 && own_bytes > settings_.bytes_max / 4);
  if (is_over_share) {
    return busy(fmt::format("storage: {} of {} take more than their share, try again later",
                            settings_.name, customer.empty() ? "no customer" : customer));
  }
  if (waiting_ >= settings_.jobs_max || bytes_ + bytes > settings_.bytes_max) {
    return busy(fmt::format("storage: too many {} wait, try again", settings_.name));
  }
  return {};
}

Result<void> CustomerLanes::submit(std::string_view customer, std::size_t bytes,
                                   std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return busy("storage is stopping, try again");
    auto at = lanes_.find(customer);
    const Lane* known = at == lanes_.end() ? nullptr : &at->second;
    if (auto checked = check_shares(customer, known, bytes); !checked) return checked;
    if (at == lanes_.end()) at = lanes_.emplace(std::string(customer), Lane{}).first;
    Lane& lane = at->second;
    if (lane.jobs.empty() && lane.running == 0) lane.used = std::max(lane.used, now_);
    lane.jobs.push_back({std::move(job), bytes});
    lane.bytes += bytes;
    bytes_ += bytes;
    ++waiting_;
    if (lanes_.size() > kIdleLanesMax) forget_idle();
  }
  wake_.notify_one();
  return {};
}

// A lane that is behind the others' time would begin there anyway.
void CustomerLanes::forget_idle() {
  std::erase_if(lanes_, [this](const auto& entry) {
    const Lane& lane = entry.second;
    return lane.jobs.empty() && lane.running == 0 && lane.used <= now_;
  });
}

CustomerLanes::Lanes::iterator CustomerLanes::next_lane() {
  auto best = lanes_.end();
  for (auto at = lanes_.begin(); at != lanes_.end(); ++at) {
    const Lane& lane = at->second;
    if (lane.jobs.empty() || lane.running >= settings_.customer_threads) continue;
    if (best == lanes_.end() || lane.used < best->second.used) best = at;
  }
  return best;
}

void CustomerLanes::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto at = next_lane();
    if (at == lanes_.end()) {
      if (is_stopping_ && waiting_ == 0) return;
      wake_.wait(lock);
      continue;
    }
    Lane& lane = at->second;  // stays: a lane with something running is never forgotten
    Job job = std::move(lane.jobs.front());
    lane.jobs.pop_front();
    now_ = std::max(now_, lane.used);
    --waiting_;
    ++lane.running;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    contain_faults("a job", job.run);
    job.run = nullptr;  // what it holds is let go without the lock
    const Duration took = std::max<Duration>(std::chrono::steady_clock::now() - begin, Duration(1));
    lock.lock();
    lane.used += took;
    lane.bytes -= job.bytes;
    bytes_ -= job.bytes;
    --lane.running;
    wake_.notify_all();  // the lane's next job may have waited for this one
  }
}

void CustomerLanes::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
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

}  // namespace vigia::storage
