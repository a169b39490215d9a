// What our own code throws where nobody expects it: it costs the work at hand, not the program.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string_view>
#include <utility>

namespace vigia {

/// Told of each fault: where it was caught, and what was thrown. Any thread, several at once.
using FaultReport = std::function<void(std::string_view where, std::string_view what)>;

/// Once, before threads start. Until then faults are only counted.
void report_faults_to(FaultReport report);

/// Faults caught in this process since its start. Any thread.
std::uint64_t fault_count();

/// Counts and reports one. Any thread.
void note_fault(std::string_view where, std::string_view what) noexcept;

/// Runs `work`. False where it threw, which is then counted and reported. For the places where work
/// of one request, record or job begins, so that one that brings a fault of ours to light ends
/// alone: errors that are foreseen are values and never come here.
template <typename Work>
bool contain_faults(std::string_view where, Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return true;
  } catch (const std::exception& fault) {
    note_fault(where, fault.what());
  } catch (...) {
    note_fault(where, "something that is no std::exception");
  }
  return false;
}

}  // namespace vigia
