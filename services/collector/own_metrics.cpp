#include "services/collector/own_metrics.hpp"

#include <algorithm>
#include <chrono>

#include <malloc.h>
#include <sys/resource.h>

#include "libs/model/customer_signal.hpp"
#include "libs/service/health.hpp"

namespace vigia::collector {
namespace {

using service::MetricType;
using Emit = service::MetricRegistry::Emit;

void show_log(const Emit& emit, const disk_log::DiskLogStats& log) {
  const auto show = [&emit](std::string_view name, std::string_view help, MetricType type,
                            std::uint64_t value) {
    emit(name, help, type, {}, static_cast<double>(value));
  };
  show("vigia_log_bytes", "Size of the disk log", MetricType::kGauge, log.bytes);
  show("vigia_log_segments", "Files of the disk log", MetricType::kGauge, log.segments);
  show("vigia_log_is_full", "1 while requests are refused for want of room", MetricType::kGauge,
       log.is_full ? 1 : 0);
  show("vigia_log_records_total", "Batches made durable", MetricType::kCounter,
       log.appended_records);
  show("vigia_log_refused_records_total", "Batches that found no room or a faulty disk",
       MetricType::kCounter, log.refused_records);
  show("vigia_log_syncs_total", "Calls of fdatasync", MetricType::kCounter, log.syncs);
  show("vigia_log_sync_failures_total", "Calls of fdatasync that failed", MetricType::kCounter,
       log.sync_failures);
  show("vigia_log_damaged_records_total", "Passages that could not be read", MetricType::kCounter,
       log.damaged_records);
  show("vigia_log_damage_recent",
       "1 from when damage was found until an hour of running after it, over restarts",
       MetricType::kGauge, log.is_damage_recent ? 1 : 0);
  show("vigia_log_clock_jumps_total", "Jumps of the wall clock by which nothing grew old",
       MetricType::kCounter, log.clock_jumps);
}

void show_holders(const Emit& emit, const std::vector<disk_log::OwnerBytes>& holders) {
  for (const disk_log::OwnerBytes& held : holders) {
    if (!kept_customer(held.owner)) continue;  // damage, which is shown as that
    emit("vigia_log_held_bytes", "What waits in the disk log for required exporters",
         MetricType::kGauge, {{"customer_id", held.owner}}, static_cast<double>(held.bytes));
  }
}

void show_series(const Emit& emit, const series::SeriesCacheStats& series) {
  emit("vigia_series_active", "Series with a sample in the last 20 minutes", MetricType::kGauge, {},
       static_cast<double>(series.series));
  emit("vigia_series_cache_bytes", "Estimated size of the series cache", MetricType::kGauge, {},
       static_cast<double>(series.bytes));
  emit("vigia_series_cache_misses_total", "Points whose series was not known", MetricType::kCounter,
       {}, static_cast<double>(series.misses));
  emit("vigia_series_cache_evicted_total", "Series forgotten for want of room while in use",
       MetricType::kCounter, {}, static_cast<double>(series.evicted));
}

void show_collisions(const Emit& emit, const series::SeriesCache& series) {
  for (const auto& [customer, keys] : series.collisions()) {
    emit("vigia_label_collisions_total",
         "Attribute keys whose values were joined to another's, since both make one label's name, "
         "or given up for a later one of the same key; "
         "counted once for each series that is new here",
         MetricType::kCounter, {{"customer_id", customer.text()}}, static_cast<double>(keys));
  }
}

void show_directory(const Emit& emit, const tenancy::DirectorySource& directory) {
  emit("vigia_directory_age_seconds", "Since customers and tokens were last known to be true",
       MetricType::kGauge, {}, directory.age_seconds());
  emit("vigia_directory_is_stale", "1 while they have not been known to be true for two minutes",
       MetricType::kGauge, {}, directory.is_stale() ? 1 : 0);
  emit("vigia_directory_refresh_failures_total", "Refreshes that failed", MetricType::kCounter, {},
       static_cast<double>(directory.refresh_failures()));
  emit("vigia_directory_cache_failures_total", "Writes of the cache that failed",
       MetricType::kCounter, {}, static_cast<double>(directory.cache_failures()));
  emit("vigia_directory_cache_damaged", "Files of the cache that were damaged at the start",
       MetricType::kGauge, {}, static_cast<double>(directory.cache_damages()));
  emit("vigia_directory_is_doubted", "1 while the monitor's snapshot is doubted and kept out",
       MetricType::kGauge, {}, directory.is_doubted() ? 1 : 0);
  emit("vigia_directory_entries_left_out", "Customers and tokens that cannot be read",
       MetricType::kGauge, {}, static_cast<double>(directory.left_out()));
}

void show_held(const Emit& emit, const OwnParts& parts) {
  emit("vigia_doors_head_bytes", "Heads being received or waiting for their bodies",
       MetricType::kGauge, {}, static_cast<double>(parts.budgets.heads.total()));
  emit("vigia_doors_body_bytes", "Bodies being received or waiting to be unpacked",
       MetricType::kGauge, {}, static_cast<double>(parts.budgets.bodies.total()));
  service::show_answers(emit, parts.budgets);
  emit("vigia_memory_is_over_limit", "1 while whoever holds the most memory is refused",
       MetricType::kGauge, {}, parts.memory.is_over() ? 1 : 0);
  emit("vigia_memory_is_short", "1 while all but small requests are refused for want of memory",
       MetricType::kGauge, {}, parts.memory.is_short() ? 1 : 0);
}

/// Of what waits, by its mean size; where nothing does, by what a request of an SDK is.
double records_for(std::uint64_t bytes, const disk_log::CursorStats& cursor) {
  constexpr double kTypicalRecordBytes = 16U << 10U;
  const double mean = cursor.queued_records == 0 ? kTypicalRecordBytes
                                                 : static_cast<double>(cursor.queued_bytes) /
                                                       static_cast<double>(cursor.queued_records);
  return static_cast<double>(bytes) / std::max(mean, 1.0);
}

/// Under the names of the OpenTelemetry Collector, whose dashboards then show ours. What its
/// runtime tells of its heap, ours does of glibc's.
void show_stock_process(const Emit& emit, const OwnParts& parts, TimePoint started) {
  emit("otelcol_process_memory_rss", "Resident set in bytes", MetricType::kGauge, {},
       static_cast<double>(parts.memory.resident_bytes()));
  const auto uptime = std::chrono::steady_clock::now() - started;
  emit("otelcol_process_uptime", "Seconds since the start", MetricType::kCounter, {},
       std::chrono::duration<double>(uptime).count());
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  emit("otelcol_process_cpu_seconds", "Processor time of user and system", MetricType::kCounter, {},
       seconds(used.ru_utime) + seconds(used.ru_stime));
  const struct mallinfo2 heap = mallinfo2();
  emit("otelcol_process_runtime_heap_alloc_bytes", "Bytes of the heap in use", MetricType::kGauge,
       {}, static_cast<double>(heap.uordblks + heap.hblkhd));
  emit("otelcol_process_runtime_total_sys_memory_bytes", "Bytes that the heap has of the system",
       MetricType::kGauge, {}, static_cast<double>(heap.arena + heap.hblkhd));
}

void show_capacity(const Emit& emit, const OwnParts& parts, const disk_log::DiskLogStats& log) {
  for (const disk_log::CursorStats& cursor : log.cursors)
    emit("otelcol_exporter_queue_capacity",
         "Batches of the size of those that wait for which the disk log has room",
         MetricType::kGauge, {{"exporter", cursor.name}}, records_for(parts.log_bytes_max, cursor));
}

}  // namespace

void show_own_metrics(service::MetricRegistry& registry, const OwnParts& parts) {
  registry.on_collect([parts, started = std::chrono::steady_clock::now()](const Emit& emit) {
    show_stock_process(emit, parts, started);
    show_directory(emit, parts.directory);
    const disk_log::DiskLogStats log = parts.log.stats();
    show_log(emit, log);
    show_capacity(emit, parts, log);
    emit("vigia_log_bytes_max", "What the disk log may hold", MetricType::kGauge, {},
         static_cast<double>(parts.log_bytes_max));
    show_holders(emit, parts.log.held_by_owner());
    show_series(emit, parts.series.stats());
    show_collisions(emit, parts.series);
    parts.frame.show_doors(emit);
    show_held(emit, parts);
  });
}

}  // namespace vigia::collector
