// What every process tells of itself: processor, memory, open files, start, version.
#pragma once

#include "libs/service/metrics.hpp"

namespace vigia::service {

/// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
/// process_start_time_seconds, and vigia_build_info{version}.
void add_process_metrics(MetricRegistry& registry);

}  // namespace vigia::service
