// Memory and paging of the host, from /proc/meminfo, /proc/vmstat and /proc/swaps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::agent::host {

/// All in bytes.
struct MemoryReading {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
  std::uint64_t available = 0;  ///< where the kernel does not say (before 3.14): an estimate
  std::uint64_t buffers = 0;
  std::uint64_t cached = 0;  ///< page cache and reclaimable slab
  /// total − available: what would be missing if every cache were given back (R-SC-1).
  std::uint64_t used() const { return total > available ? total - available : 0; }
};

/// kCorrupt where MemTotal is missing or 0.
Result<MemoryReading> parse_meminfo(std::string_view text);

/// One swap area; bytes.
struct SwapDevice {
  std::string device;
  std::uint64_t total = 0;
  std::uint64_t used = 0;
};
std::vector<SwapDevice> parse_swaps(std::string_view text);

/// Since the host started. A line that the kernel does not have stays absent.
struct PagingCounters {
  std::optional<std::uint64_t> faults;  ///< all of them
  std::optional<std::uint64_t> major_faults;
  std::optional<std::uint64_t> swapped_in;  ///< pages
  std::optional<std::uint64_t> swapped_out;
};
PagingCounters parse_vmstat(std::string_view text);

}  // namespace vigia::agent::host
