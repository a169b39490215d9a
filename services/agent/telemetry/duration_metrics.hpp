// `http_request_duration_seconds`: the average request duration of each service on this node.
#pragma once

#include <cstdint>
#include <vector>

#include "services/agent/host/node.hpp"
#include "services/agent/telemetry/request_durations.hpp"
#include "services/agent/telemetry/sdk_meter.hpp"

namespace vigia::agent::telemetry {

/// An export request with one gauge point a service, each under a resource of its own, so that the
/// series carries the application's job. Its unit is empty: the name has it already.
EncodedMetrics encode_durations(const std::vector<ServiceDuration>& durations,
                                const host::NodeSettings& node, std::int64_t time_ns);

}  // namespace vigia::agent::telemetry
