#include "libs/net/internal/body_costs.hpp"

#include <algorithm>
#include <ctime>

namespace vigia::net::internal {
namespace {

// The part of the way down to a lower cost that one body goes.
constexpr double kFall = 1.0 / 16;
// Nanoseconds a byte: half of what keeps the largest body that is an event loop's there.
constexpr double kCheap =
    static_cast<double>(kOnLoopWorkMax.count()) / static_cast<double>(kOnLoopBytesMax) / 2;

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::chrono::nanoseconds passed_time() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

double per_byte(std::chrono::nanoseconds time, std::size_t bytes) {
  return static_cast<double>(time.count()) / static_cast<double>(bytes);
}

// At once where it rises.
void learn(double& known, double measured) {
  known = std::max(measured, known + (measured - known) * kFall);
}

}  // namespace

bool BodyCosts::fits_loop(const std::string& owner, bool is_packed, std::size_t bytes) const {
  if (bytes == 0) return true;
  if (bytes > kOnLoopBytesMax || debts_.is_away(owner)) return false;
  if (bytes <= kSmallBytes) return true;
  const std::lock_guard lock(mutex_);
  const auto found = costs_.find(owner);
  const Costs costs = found == costs_.end() ? Costs{} : found->second;
  return static_cast<double>(bytes) * (is_packed ? costs.packed : costs.plain).a_byte <=
         static_cast<double>(kOnLoopWorkMax.count());
}

BodyCosts::Cost& BodyCosts::cost_of(const std::string& owner, bool is_packed) {
  if (costs_.size() >= kOwnersMax && !costs_.contains(owner)) costs_.clear();
  Costs& costs = costs_[owner];
  return is_packed ? costs.packed : costs.plain;
}

void BodyCosts::note(const std::string& owner, bool is_packed, std::size_t bytes,
                     std::chrono::nanoseconds work) {
  if (bytes <= kSmallBytes) return;
  const std::lock_guard lock(mutex_);
  Cost& cost = cost_of(owner, is_packed);
  learn(cost.a_byte, per_byte(work, bytes));
  cost.in_doubt = cost.a_byte > kCheap ? kInDoubt : cost.in_doubt - std::min(cost.in_doubt, 1U);
}

bool BodyCosts::is_surely_cheap(const std::string& owner, bool is_packed) const {
  const std::lock_guard lock(mutex_);
  const auto found = costs_.find(owner);
  if (found == costs_.end()) return false;
  return (is_packed ? found->second.packed : found->second.plain).in_doubt == 0;
}

void BodyCosts::note_passed(const std::string& owner, bool is_packed, std::size_t bytes,
                            std::chrono::nanoseconds passed) {
  if (bytes <= kSmallBytes) return;
  const std::lock_guard lock(mutex_);
  Cost& cost = cost_of(owner, is_packed);
  const double measured = per_byte(passed, bytes);
  if (measured > kCheap) {
    cost.in_doubt = kInDoubt;
  } else {
    learn(cost.a_byte, measured);
  }
}

CostMeter::CostMeter(BodyCosts& costs, const std::string& owner, bool is_packed, std::size_t bytes,
                     WorkPlace place)
    : costs_(costs), place_(place), bytes_(bytes), is_packed_(is_packed) {
  if (!is_measured()) return;
  const bool is_small = bytes_ <= BodyCosts::kSmallBytes;
  owner_ = owner;
  is_by_processor_ = (!is_small && !costs_.is_surely_cheap(owner, is_packed)) ||
                     (place_ == WorkPlace::kLoop && costs_.debts().is_watched(owner));
  begin_ = is_by_processor_ ? thread_cpu_time() : passed_time();
}

void CostMeter::note() {
  if (!is_measured()) return;
  const bool is_small = bytes_ <= BodyCosts::kSmallBytes;
  const auto took = (is_by_processor_ ? thread_cpu_time() : passed_time()) - begin_;
  if (place_ == WorkPlace::kLoop && took > kOnLoopTooLong)
    costs_.debts().note(owner_, is_by_processor_, took);
  if (is_small) return;
  if (is_by_processor_) {
    costs_.note(owner_, is_packed_, bytes_, took);
  } else {
    costs_.note_passed(owner_, is_packed_, bytes_, took);
  }
}

}  // namespace vigia::net::internal
