#include "services/agent/telemetry/host_loop.hpp"

#include <algorithm>

#include "libs/base/fault.hpp"
#include "services/agent/telemetry/duration_metrics.hpp"
#include "services/agent/telemetry/grid.hpp"
#include "services/agent/telemetry/host_families.hpp"

namespace vigia::agent::telemetry {

namespace {

/// The wall clock may be set while we wait: it is looked at again this often.
constexpr Duration kWaitSlice = std::chrono::seconds(5);

}  // namespace

std::vector<host::ResourceAttribute> agent_resource(const TelemetrySettings& settings) {
  auto resource = host::node_attributes(settings.node);
  resource.push_back({"service.name", {"vigia-agent"}, false});
  resource.push_back({"service.instance.id", {settings.node.node.text()}, false});
  resource.push_back({"service.version", {VIGIA_VERSION}, false});
  for (host::ResourceAttribute& attribute : host::read_identity(settings.host)) {
    resource.push_back(std::move(attribute));
  }
  return resource;
}

HostLoop::HostLoop(const TelemetrySettings& settings, Parts parts)
    : settings_(settings),
      interval_ns_(settings.interval.count()),
      parts_(parts),
      reader_(settings.host, host::stat_filesystem),
      meter_(agent_resource(settings)),
      thread_([this] { run(); }) {}

HostLoop::~HostLoop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool HostLoop::wait_for(std::int64_t grid_ns) {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const Duration rest{grid_ns - parts_.clock.wall_ns()};
    if (rest <= Duration::zero()) return true;
    if (rest > Duration{2 * interval_ns_}) return true;  // the clock was set back
    changed_.wait_for(lock, std::min(rest, kWaitSlice));
  }
  return false;
}

void HostLoop::run() {
  contain_faults("the first reading of the host", [this] { reader_.read(); });
  // Shares of CPU time are between two readings: that was the first.
  std::int64_t last_ns = 0;
  for (;;) {
    const std::int64_t grid_ns = next_grid_point(parts_.clock.wall_ns(), last_ns, interval_ns_);
    if (!wait_for(grid_ns)) return;
    const std::int64_t now_ns = parts_.clock.wall_ns();
    // Woken late by less than an interval it is this point's sample; otherwise the point is missed.
    if (now_ns < grid_ns || now_ns - grid_ns >= interval_ns_) continue;
    contain_faults("a sample of the host", [&] { sample(grid_ns); });
    last_ns = grid_ns;
  }
}

void HostLoop::sample(std::int64_t grid_ns) {
  const host::HostReading reading = reader_.read();
  parts_.counters.host_read_errors += reading.errors;
  parts_.counters.filesystems_stuck = reading.filesystems_stuck;
  const auto status = parts_.status.values();
  auto families = host_families(reading, parts_.status.started_ns());
  for (host::MetricFamily& family : health::status_families(status, parts_.status.started_ns())) {
    families.push_back(std::move(family));
  }
  EncodedMetrics encoded = meter_.collect(families, grid_ns);
  const EncodedMetrics durations =
      encode_durations(parts_.durations.take(), settings_.node, grid_ns);
  encoded.body += durations.body;  // two requests in a row are one
  encoded.points += durations.points;
  if (encoded.points == 0) return;
  parts_.buffer.append_own(std::move(encoded.body), encoded.points);
}

}  // namespace vigia::agent::telemetry
