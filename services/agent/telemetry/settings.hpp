// What the configuration says of the agent's own measuring.
#pragma once

#include "libs/base/duration.hpp"
#include "services/agent/host/host_reader.hpp"
#include "services/agent/host/node.hpp"

namespace vigia::agent::telemetry {

struct TelemetrySettings {
  host::NodeSettings node;
  host::HostPaths host;
  Duration interval = std::chrono::seconds(15);  ///< whole milliseconds
};

}  // namespace vigia::agent::telemetry
