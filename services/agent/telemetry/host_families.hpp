// A reading of the host as metrics: the seed's names and the semantic conventions' (R-SC-1,
// R-SC-2).
#pragma once

#include <cstdint>
#include <vector>

#include "services/agent/host/host_reader.hpp"
#include "services/agent/host/metric_family.hpp"

namespace vigia::agent::telemetry {

/// Families without points are left out. `started_ns`: since when sums are counted where the host
/// does not say when it booted.
std::vector<host::MetricFamily> host_families(const host::HostReading& reading,
                                              std::int64_t started_ns);

}  // namespace vigia::agent::telemetry
