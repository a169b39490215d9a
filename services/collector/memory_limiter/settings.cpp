#include "services/collector/memory_limiter/settings.hpp"

#include <algorithm>

#include "services/collector/memory_limiter/total_memory.hpp"

namespace vigia::collector::memory_limiter {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::int64_t kMiBMax = 1LL << 30;

/// Of the memory limit, for what is known of series. The rest is bodies, the log's room and the
/// exporters' windows: 5/8 of a small limit, but no more than this of a large one, so that 1,500
/// MiB know the 7.5 million series of 5,000 nodes at up to 150 bytes each (53 where nodes have the
/// same ones).
std::uint64_t series_share(std::uint64_t limit_bytes) {
  constexpr std::uint64_t kRestMax = 384 * kMiB;
  return limit_bytes - std::min(limit_bytes / 8 * 5, kRestMax);
}

/// In MiB, or as parts of a hundred of the memory that there is. MiB count where both are given, as
/// upstream has it.
std::uint64_t read_limit(const service::ConfigNode& node, const config::PartContext& context) {
  const auto limit = node.child("limit_mib").integer(0, 0, kMiBMax);
  const auto spike = node.child("spike_limit_mib").integer(0, 0, kMiBMax);
  const service::ConfigNode part = node.child("limit_percentage");
  const auto parts = part.integer(0, 0, 100);
  const auto spike_parts = node.child("spike_limit_percentage").integer(0, 0, 100);
  if (limit == 0 && parts == 0) {
    node.note_error("limit_mib or limit_percentage must be given, and more than 0");
    return 0;
  }
  const bool is_below = limit > 0 ? limit <= spike : parts <= spike_parts;
  if (is_below) {
    node.note_error(limit > 0 ? "limit_mib must be above spike_limit_mib"
                              : "limit_percentage must be above spike_limit_percentage");
    return 0;
  }
  if (limit == 0) return total_memory() / 100 * static_cast<std::uint64_t>(parts - spike_parts);
  if (parts > 0) config::take_note(part, "limit_mib is given, and counts", context.notes);
  return static_cast<std::uint64_t>(limit - spike) * kMiB;
}

}  // namespace

void read(const service::ConfigNode& node, bool is_used, MemoryLimiterSettings& settings,
          const config::PartContext& context) {
  const std::uint64_t limit_bytes = read_limit(node, context);
  config::take_note(node.child("check_interval"), "memory is looked at five times a second",
                    context.notes);
  for (const char* key : {"min_gc_interval_when_soft_limited", "min_gc_interval_when_hard_limited"})
    config::take_note(node.child(key), "there is no garbage collector", context.notes);
  // Read all the same, so that its mistakes are told although no pipeline names it.
  if (!is_used) return;
  settings.limit_bytes = limit_bytes;
  settings.series_cache_bytes = series_share(settings.limit_bytes);
}

}  // namespace vigia::collector::memory_limiter
