#include "services/collector/memory_limiter/settings.hpp"

#include <algorithm>

namespace vigia::collector::memory_limiter {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::int64_t kMiBMax = 1LL << 30;

/// Of the memory limit, for what is known of series. The rest is bodies, the log's room and the
/// exporters' windows: 5/8 of a small limit, but no more than this of a large one, so that 1,500
/// MiB know the 7.5 million series of 5,000 nodes at some 150 bytes each.
std::uint64_t series_share(std::uint64_t limit_bytes) {
  constexpr std::uint64_t kRestMax = 384 * kMiB;
  return limit_bytes - std::min(limit_bytes / 8 * 5, kRestMax);
}

}  // namespace

void read(const service::ConfigNode& node, bool is_used, MemoryLimiterSettings& settings,
          const config::PartContext& context) {
  const auto limit = node.child("limit_mib").integer(0, 1, kMiBMax);
  const auto spike = node.child("spike_limit_mib").integer(0, 0, kMiBMax);
  config::take_note(node.child("check_interval"), "memory is looked at five times a second",
                    context.notes);
  if (limit <= spike) node.note_error("limit_mib must be given, and above spike_limit_mib");
  // Read all the same, so that its mistakes are told although no pipeline names it.
  if (!is_used) return;
  settings.limit_bytes = static_cast<std::uint64_t>(limit - spike) * kMiB;
  settings.series_cache_bytes = series_share(settings.limit_bytes);
}

}  // namespace vigia::collector::memory_limiter
