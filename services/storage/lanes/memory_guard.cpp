#include "services/storage/lanes/memory_guard.hpp"

#include <chrono>
#include <fstream>

#include <unistd.h>

#include "libs/base/fault.hpp"
#include "libs/service/heap.hpp"

namespace vigia::storage::lanes {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(250);
constexpr int kLooksBetweenReturns = 8;  // giving pages back makes all threads wait a little

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

MemoryGuard::MemoryGuard(std::uint64_t bytes_max, Tell tell)
    : bytes_max_(bytes_max), tell_(std::move(tell)), thread_([this] { run(); }) {}

MemoryGuard::~MemoryGuard() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void MemoryGuard::run() {
  bool is_short = false;
  int looks_since_return = kLooksBetweenReturns;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kInterval, [this] { return is_stopping_; })) {
    lock.unlock();
    contain_faults("storage: the look at its memory", [&] { look(is_short, looks_since_return); });
    lock.lock();
  }
}

void MemoryGuard::look(bool& is_short, int& looks_since_return) const {
  std::uint64_t bytes = resident_bytes();
  ++looks_since_return;
  // Freed memory may still be resident: without giving it back, the guard would call for help
  // because of pages that nobody uses.
  if (bytes > bytes_max_ / 4 * 3 && looks_since_return >= kLooksBetweenReturns) {
    service::return_freed_pages();
    looks_since_return = 0;
    bytes = resident_bytes();
  }
  // It ends only at nine tenths, so that it does not begin and end with every request.
  const bool is_now = bytes > bytes_max_ || (is_short && bytes > bytes_max_ / 10 * 9);
  if (is_now != is_short) tell_(is_now);
  is_short = is_now;  // not where telling threw: it is told again
}

}  // namespace vigia::storage::lanes
