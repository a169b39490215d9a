#include "services/collector/memory_limiter/memory_limiter.hpp"

#include <chrono>
#include <fstream>

#include <unistd.h>

#include "libs/service/heap.hpp"
#include "libs/service/log.hpp"

namespace vigia::collector {
namespace {

constexpr std::chrono::milliseconds kLookInterval{200};
/// Freed memory stays with the process for the next bodies; what a burst has left goes back then.
constexpr std::chrono::seconds kReturnInterval{60};

std::uint64_t read_resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages_total = 0;
  std::uint64_t pages_resident = 0;
  file >> pages_total >> pages_resident;
  return pages_resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryLimiter::MemoryLimiter(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {
  look();
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

void MemoryLimiter::run() {
  std::unique_lock lock(mutex_);
  auto returned = std::chrono::steady_clock::now();
  while (!changed_.wait_for(lock, kLookInterval, [this] { return is_stopping_; })) {
    if (const auto now = std::chrono::steady_clock::now(); now >= returned + kReturnInterval) {
      service::return_freed_pages();
      returned = now;
    }
    look();
  }
}

void MemoryLimiter::look() {
  std::uint64_t bytes = read_resident_bytes();
  if (limit_bytes_ > 0 && bytes > limit_bytes_) {
    service::return_freed_pages();
    bytes = read_resident_bytes();
  }
  resident_bytes_.store(bytes, std::memory_order_relaxed);
  const bool is_short = limit_bytes_ > 0 && bytes > limit_bytes_;
  if (is_short && !is_short_.exchange(true)) {
    service::log_warn("memory is over its limit: requests are refused, retryably",
                      {{"resident_bytes", std::to_string(bytes)}});
  } else if (!is_short && is_short_.exchange(false)) {
    service::log_info("memory is under its limit again");
  }
}

}  // namespace vigia::collector
