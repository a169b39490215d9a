#include "services/collector/memory_limiter/memory_limiter.hpp"

#include <chrono>
#include <fstream>
#include <utility>

#include <unistd.h>

#include "libs/base/fault.hpp"
#include "libs/service/heap.hpp"
#include "libs/service/log.hpp"
#include "services/collector/memory_limiter/limits.hpp"

namespace vigia::collector::memory_limiter {
namespace {

constexpr std::chrono::milliseconds kLookInterval{200};
/// Freed memory stays with the process for the next bodies; what a burst has left goes back then.
constexpr std::chrono::seconds kReturnInterval{60};

/// statm, not the books of the budgets: what the heap keeps and what libraries take is memory too,
/// and it is the resident set by which the kernel kills.
std::uint64_t read_resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages_total = 0;
  std::uint64_t pages_resident = 0;
  file >> pages_total >> pages_resident;
  return pages_resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryLimiter::MemoryLimiter(std::uint64_t limit_bytes, net::ServerBudgets& budgets,
                             ProcessMemory memory)
    : limit_bytes_(limit_bytes), budgets_(budgets), memory_(std::move(memory)) {
  if (!memory_.resident_bytes) memory_.resident_bytes = read_resident_bytes;
  if (!memory_.give_back) memory_.give_back = service::return_freed_pages;
  {
    const std::lock_guard lock(mutex_);
    look();
  }
  thread_ = std::thread([this] { run(); });
}

MemoryLimiter::~MemoryLimiter() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MemoryLimiter::let_go_by(std::function<void()> let_go) {
  const std::lock_guard lock(mutex_);
  let_go_ = std::move(let_go);
}

void MemoryLimiter::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLookInterval, [this] { return is_stopping_; })) {
    contain_faults("a look at memory", [this] { look(); });
  }
}

/// What was freed lies scattered among what is in use, and each body dirties other pages of it:
/// near the limit it goes back before the limit is reached, where there may be much of it again.
bool MemoryLimiter::should_return(std::uint64_t bytes, TimePoint now) const {
  if (now >= returned_ + kReturnInterval) return true;
  if (limit_bytes_ == 0) return false;
  // Nobody is refused for memory that is free already, though a return stops the others for a
  // moment: a flood of heads that were refused leaves some hundred MiB a second behind.
  if (bytes > limit_bytes_) return true;
  return bytes > limit_bytes_ - limit_bytes_ / kMemoryNearParts &&
         bytes > left_bytes_ + limit_bytes_ / kMemoryReturnParts;
}

/// Gives freed memory back where it is time to, and says what is resident then.
std::uint64_t MemoryLimiter::resident_after_return(std::uint64_t bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (!should_return(bytes, now)) return bytes;
  memory_.give_back();
  returned_ = now;
  left_bytes_ = memory_.resident_bytes();
  return left_bytes_;
}

void MemoryLimiter::look() {
  const std::uint64_t before = memory_.resident_bytes();
  if (let_go_ && limit_bytes_ > 0 && before > limit_bytes_) let_go_();
  const std::uint64_t bytes = resident_after_return(before);
  resident_bytes_.store(bytes, std::memory_order_relaxed);
  if (limit_bytes_ == 0) return;
  const bool is_over = bytes > limit_bytes_;
  // Two steps: over the limit who holds most is refused, far over it everybody but the smallest, so
  // that one customer's flood does not become all customers' refusal at once.
  budgets_.heads.press(is_over);
  budgets_.bodies.press(is_over);
  const bool is_short = bytes > limit_bytes_ + limit_bytes_ / kMemoryExcessParts;
  budgets_.heads.shut(is_short);
  budgets_.bodies.shut(is_short);
  const bool was_over = is_over_.exchange(is_over);
  const bool was_short = is_short_.exchange(is_short);
  tell(bytes, was_over, was_short);
}

void MemoryLimiter::tell(std::uint64_t bytes, bool was_over, bool was_short) const {
  const auto resident = std::to_string(bytes);
  if (is_short() && !was_short) {
    service::log_warn("memory is far over its limit: all but small requests are refused, retryably",
                      {{"resident_bytes", resident}});
  } else if (is_over() && !was_over) {
    service::log_warn(
        "memory is over its limit: who holds the most of what is being received is refused, "
        "retryably",
        {{"resident_bytes", resident}});
  } else if (!is_over() && was_over) {
    service::log_info("memory is under its limit again", {{"resident_bytes", resident}});
  }
}

}  // namespace vigia::collector::memory_limiter
