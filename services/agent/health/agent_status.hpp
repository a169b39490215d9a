// How the agent is, in one place: for /health in both its forms and for the metrics it pushes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/agent/buffer/buffer.hpp"
#include "services/agent/host/metric_family.hpp"
#include "services/agent/sender/sender_status.hpp"

namespace vigia::agent::health {

/// What other parts count. Any thread.
struct AgentCounters {
  std::atomic<std::uint64_t> host_read_errors{0};
  std::atomic<std::uint64_t> filesystems_stuck{0};            ///< now
  std::array<std::atomic<std::uint64_t>, 3> relayed_items{};  ///< by signal
  std::atomic<std::uint64_t> relay_items_left_out{0};  ///< delta points without room, senders told
  std::array<std::atomic<std::uint64_t>, 3> relay_refusals{};  ///< requests, by signal
};

using StatusLabels = std::vector<std::pair<std::string_view, std::string>>;

/// One of the agent's own metrics.
struct StatusValue {
  std::string_view name;  ///< as Prometheus writes it; a counter ends in _total
  std::string_view help;
  bool is_counter = false;
  StatusLabels labels;
  double value = 0;
};

struct HealthReport {
  std::vector<std::string> reasons;  ///< why it is degraded; none where it is healthy
  bool is_collector_reachable = false;
  std::optional<double> clock_offset_s;  ///< to the collector's, positive: ahead of it
  buffer::BufferStats buffer;
  Duration uptime{};
};

/// Thread contract: any thread.
class AgentStatus {
 public:
  struct Parts {
    const buffer::Buffer& buffer;
    const sender::SenderStatus& sender;
    const AgentCounters& counters;
    const Clock& clock;
  };
  explicit AgentStatus(Parts parts);

  HealthReport report();
  /// vigia-monitor passes on the series that it knows: a new one needs its line there
  /// (services/monitor/live/agent_series.cpp).
  std::vector<StatusValue> values();
  std::int64_t started_ns() const { return started_ns_; }  ///< wall clock

  static constexpr double kBufferDegradedPercent = 80;

 private:
  Parts parts_;
  TimePoint started_;
  std::int64_t started_ns_;
};

/// The same values as families for the SDK, in order, those of one name together.
std::vector<host::MetricFamily> status_families(const std::vector<StatusValue>& values,
                                                std::int64_t started_ns);

}  // namespace vigia::agent::health
