// Bounds of the whole program that no configuration key sets; each part has its own beside it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vigia::collector {

/// What heads and bodies on their way in may take of the memory limit: 32 and 64 of 512 MiB,
/// beside 192 for series. The rest is the program (20), values at :8889 (80), one large body in
/// work and its records (64), smaller ones (32), the log's room, batch and newest records (80), and
/// three exporters' windows and side lanes (60 where all of them are at their bounds). The sum is
/// over the limit by an eighth; nobody has seen all at once. Without a limit 256 MiB each.
inline constexpr std::size_t kHeadParts = 16;
inline constexpr std::size_t kBodyParts = 8;
/// Likewise what waits to be written to the log: half of it for one customer's, a large request
/// where nothing waits.
inline constexpr std::size_t kPendingParts = 16;
/// Of the disk's bytes_max one such part is the waiting log's of tail_sampling, in segments of so
/// many to it at least.
inline constexpr std::uint64_t kWaitingLogParts = 4;
inline constexpr std::uint64_t kSegmentsMin = 8;
inline constexpr std::size_t kPendingBytesMin = 8U << 20U;
/// And what of the log's newest is kept in memory for exporters that keep up, until they have it.
inline constexpr std::size_t kRecentParts = 32;
inline constexpr std::size_t kRecentBytesMin = 2U << 20U;
inline constexpr std::size_t kRecentBytesMax = 16U << 20U;
/// `limit_bytes` 0: there is no memory limit.
constexpr std::size_t recent_bytes_max(std::uint64_t limit_bytes) {
  if (limit_bytes == 0) return kRecentBytesMax;
  return std::clamp<std::size_t>(limit_bytes / kRecentParts, kRecentBytesMin, kRecentBytesMax);
}
/// And what streams of deltas came to: 32 MiB of 512, some 80,000 numbers.
inline constexpr std::size_t kDeltaParts = 16;
inline constexpr std::size_t kHeadBytesMin = 16U << 20U;

/// What arrives within so long is acknowledged by one fdatasync.
inline constexpr auto kSyncGap = std::chrono::milliseconds(2);

/// The largest body where no door says otherwise: 32 MiB of 512, for the log's room and each
/// exporter hold it whole for a moment. Never below what any OTLP receiver takes over gRPC.
inline constexpr std::uint64_t kBodyOfLimitParts = 16;
inline constexpr std::size_t kStandardBodyBytesMin = 4U << 20U;

}  // namespace vigia::collector
