#include "services/collector/delta_part.hpp"

#include <algorithm>

#include "services/collector/limits.hpp"

namespace vigia::collector {

std::optional<intake::DeltaSettings> delta_settings(const Settings& settings) {
  if (settings.collectors > 1 && !settings.are_senders_sticky) return std::nullopt;
  intake::DeltaSettings deltas;
  deltas.directory = settings.storage.directory;
  deltas.streams_per_customer = settings.delta_streams;
  if (const std::uint64_t limit = settings.processors.memory_limiter.limit_bytes; limit > 0) {
    deltas.bytes_max = std::min<std::uint64_t>(deltas.bytes_max, limit / kDeltaParts);
    deltas.waiting_bytes_max =
        std::clamp<std::size_t>(limit / kPendingParts, kPendingBytesMin, deltas.waiting_bytes_max);
  }
  deltas.restarts_at_gaps = settings.collectors > 1;
  return deltas;
}

void add_deltas_cursor(const Settings& settings, std::vector<disk_log::CursorSettings>& cursors) {
  if (!delta_settings(settings)) return;
  cursors.push_back({.name = std::string(intake::kDeltasCursor), .reads_on = false});
}

}  // namespace vigia::collector
