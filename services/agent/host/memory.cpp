#include "services/agent/host/memory.hpp"

#include <algorithm>
#include <array>

#include "libs/base/utf8.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

constexpr std::uint64_t kKibibyte = 1024;

struct MeminfoLines {
  std::optional<std::uint64_t> total, free, available, buffers, cached, reclaimable, shared;
};

std::optional<std::uint64_t>* place_of(MeminfoLines& lines, std::string_view key) {
  if (key == "MemTotal:") return &lines.total;
  if (key == "MemFree:") return &lines.free;
  if (key == "MemAvailable:") return &lines.available;
  if (key == "Buffers:") return &lines.buffers;
  if (key == "Cached:") return &lines.cached;
  if (key == "SReclaimable:") return &lines.reclaimable;
  if (key == "Shmem:") return &lines.shared;
  return nullptr;
}

/// What could be given back at once: free memory and caches, without the shared memory that the
/// kernel counts among them.
std::uint64_t estimate_available(const MeminfoLines& lines) {
  const std::uint64_t all = lines.free.value_or(0) + lines.buffers.value_or(0) +
                            lines.cached.value_or(0) + lines.reclaimable.value_or(0);
  const std::uint64_t shared = lines.shared.value_or(0);
  return all > shared ? all - shared : 0;
}

}  // namespace

Result<MemoryReading> parse_meminfo(std::string_view text) {
  MeminfoLines found;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    WordReader words(*line);
    const auto key = words.next();
    if (!key) continue;
    auto* place = place_of(found, *key);
    if (place == nullptr) continue;
    if (const auto value = words.next_counter()) *place = multiply_saturating(*value, kKibibyte);
  }
  if (found.total.value_or(0) == 0) return fail(ErrorCode::kCorrupt, "meminfo: no MemTotal");
  MemoryReading reading;
  reading.total = *found.total;
  reading.free = std::min(found.free.value_or(0), reading.total);
  // MemAvailable is there since Linux 3.14.
  reading.available =
      std::min(found.available ? *found.available : estimate_available(found), reading.total);
  reading.buffers = found.buffers.value_or(0);
  reading.cached = found.cached.value_or(0) + found.reclaimable.value_or(0);
  return reading;
}

std::vector<SwapDevice> parse_swaps(std::string_view text) {
  std::vector<SwapDevice> devices;
  LineReader lines(text);
  lines.next();  // the heading
  while (const auto line = lines.next()) {
    WordReader words(*line);
    const auto device = words.next();
    words.next();  // partition or file
    const auto total = words.next_counter();
    const auto used = words.next_counter();
    if (!device || !total || !used) continue;
    SwapDevice swap;
    swap.device = to_utf8(unescape_octal(*device));
    swap.total = multiply_saturating(*total, kKibibyte);
    swap.used = std::min(multiply_saturating(*used, kKibibyte), swap.total);
    devices.push_back(std::move(swap));
  }
  return devices;
}

PagingCounters parse_vmstat(std::string_view text) {
  PagingCounters counters;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    WordReader words(*line);
    const auto key = words.next();
    if (!key) continue;
    if (*key == "pgfault") counters.faults = words.next_counter();
    if (*key == "pgmajfault") counters.major_faults = words.next_counter();
    if (*key == "pswpin") counters.swapped_in = words.next_counter();
    if (*key == "pswpout") counters.swapped_out = words.next_counter();
  }
  return counters;
}

}  // namespace vigia::agent::host
