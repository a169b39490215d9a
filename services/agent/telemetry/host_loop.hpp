// Samples the host and the agent itself at each point of the grid and hands the result to the
// buffer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/agent/buffer/buffer.hpp"
#include "services/agent/health/agent_status.hpp"
#include "services/agent/host/host_reader.hpp"
#include "services/agent/telemetry/request_durations.hpp"
#include "services/agent/telemetry/sdk_meter.hpp"
#include "services/agent/telemetry/settings.hpp"

namespace vigia::agent::telemetry {

/// Resource attributes of the agent's own metrics: customer, node, service and host.
std::vector<host::ResourceAttribute> agent_resource(const TelemetrySettings& settings);

/// Has a thread of its own from construction to destruction.
class HostLoop {
 public:
  struct Parts {
    buffer::Buffer& buffer;
    health::AgentStatus& status;
    health::AgentCounters& counters;
    RequestDurations& durations;
    const Clock& clock;
  };
  HostLoop(const TelemetrySettings& settings, Parts parts);
  ~HostLoop();
  HostLoop(const HostLoop&) = delete;
  HostLoop& operator=(const HostLoop&) = delete;
  HostLoop(HostLoop&&) = delete;
  HostLoop& operator=(HostLoop&&) = delete;

 private:
  void run();
  /// False where the loop ends instead.
  bool wait_for(std::int64_t grid_ns);
  void sample(std::int64_t grid_ns);

  const TelemetrySettings settings_;
  const std::int64_t interval_ns_;
  Parts parts_;
  host::HostReader reader_;
  SdkMeter meter_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;        // last: it uses all of the above
};

}  // namespace vigia::agent::telemetry
