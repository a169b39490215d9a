// What every process tells of itself: processor, memory, open files, start, version.
#pragma once

#include "libs/service/metrics.hpp"

namespace vigia::service {

/// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
/// process_start_time_seconds, vigia_build_info{version}, vigia_faults_total and, of what
/// process_faults knows, vigia_faults_by_place_total{what}.
void add_process_metrics(MetricRegistry& registry);

}  // namespace vigia::service
