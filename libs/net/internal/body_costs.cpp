#include "libs/net/internal/body_costs.hpp"

#include <algorithm>
#include <ctime>

namespace vigia::net::internal {
namespace {

// The part of the way down to a lower cost that one body goes.
constexpr double kFall = 1.0 / 16;

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

bool BodyCosts::fits_loop(const std::string& owner, bool is_packed, std::size_t bytes) const {
  if (bytes <= kSmallBytes) return true;
  if (bytes > kOnLoopBytesMax) return false;
  const std::lock_guard lock(mutex_);
  const auto found = costs_.find(owner);
  const Cost cost = found == costs_.end() ? Cost{} : found->second;
  return static_cast<double>(bytes) * (is_packed ? cost.packed : cost.plain) <=
         static_cast<double>(kOnLoopWorkMax.count());
}

void BodyCosts::note(const std::string& owner, bool is_packed, std::size_t bytes,
                     std::chrono::nanoseconds work) {
  if (bytes <= kSmallBytes) return;
  const double measured = static_cast<double>(work.count()) / static_cast<double>(bytes);
  const std::lock_guard lock(mutex_);
  if (costs_.size() >= kOwnersMax && !costs_.contains(owner)) costs_.clear();
  Cost& cost = costs_[owner];
  double& known = is_packed ? cost.packed : cost.plain;
  known = std::max(measured, known + (measured - known) * kFall);
}

CostMeter::CostMeter(BodyCosts& costs, const std::string& owner, bool is_packed, std::size_t bytes)
    : costs_(costs), bytes_(bytes), is_packed_(is_packed) {
  if (bytes_ <= BodyCosts::kSmallBytes) return;
  owner_ = owner;
  begin_ = thread_cpu_time();
}

void CostMeter::note() {
  if (bytes_ <= BodyCosts::kSmallBytes) return;
  costs_.note(owner_, is_packed_, bytes_, thread_cpu_time() - begin_);
}

}  // namespace vigia::net::internal
