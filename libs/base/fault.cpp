#include "libs/base/fault.hpp"

#include <atomic>

namespace vigia {
namespace {

// A function's own and not a global: a fault may be noted while other globals are not made yet, or
// are gone.
FaultReport& report() {
  static FaultReport told;
  return told;
}

std::atomic<std::uint64_t> count{0};

}  // namespace

void report_faults_to(FaultReport told) { report() = std::move(told); }

std::uint64_t fault_count() { return count; }

void note_fault(std::string_view where, std::string_view what) noexcept {
  ++count;
  try {
    if (report()) report()(where, what);
  } catch (...) {  // counted, at least
  }
}

}  // namespace vigia
