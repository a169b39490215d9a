#include "services/monitor/live/agent_series.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "libs/model/signal.hpp"

namespace vigia::monitor::live {
namespace {

// A closed list, and not what agents send: each series here is one that hot keeps for each node, so
// no customer can make more of them by what its agent says.
constexpr auto kReasons = std::to_array<std::string_view>({"too_old", "cap", "damaged"});
constexpr auto kSignalNames = std::to_array<std::string_view>(
    {to_string(Signal::kMetrics), to_string(Signal::kTraces), to_string(Signal::kLogs)});

constexpr auto kMetrics =
    std::to_array<AgentMetric>({{"agent_healthy"},
                                {"agent_collector_reachable"},
                                {"agent_uptime_seconds"},
                                {"agent_clock_offset_seconds"},
                                {"agent_buffer_usage_percent"},
                                {"agent_buffer_bytes"},
                                {"agent_buffer_dropped_total", "reason", kReasons},
                                {"agent_buffer_damaged_records_total"},
                                {"agent_buffer_damage_recent"},
                                {"agent_clock_jumps_total"},
                                {"agent_items_sent_total", "signal", kSignalNames},
                                {"agent_items_rejected_total", "signal", kSignalNames},
                                {"agent_items_refused_total", "signal", kSignalNames},
                                {"agent_relay_items_total", "signal", kSignalNames},
                                {"agent_relay_requests_refused_total", "signal", kSignalNames},
                                {"agent_relay_items_left_out_total"},
                                {"agent_points_held"},
                                {"agent_points_lost_total"},
                                {"agent_host_read_errors_total"},
                                {"agent_faults_total"},
                                {"agent_filesystems_stuck"}});

constexpr std::size_t series_of(const AgentMetric& metric) {
  return metric.label.empty() ? 1 : metric.values.size();
}

constexpr std::size_t count_series() {
  std::size_t count = 0;
  for (const auto& metric : kMetrics) count += series_of(metric);
  return count;
}
// The bounds of live/limits.hpp are computed from this number: whoever adds a series is told here
// that they move.
static_assert(count_series() == kAgentSeries);

// In the order of kMetrics, and of the values of each.
std::optional<std::size_t> place_of_series(std::string_view name, std::string_view value) {
  std::size_t place = 0;
  for (const auto& metric : kMetrics) {
    if (metric.name != name) {
      place += series_of(metric);
      continue;
    }
    if (metric.label.empty()) return value.empty() ? std::optional(place) : std::nullopt;
    const auto known = std::find(metric.values.begin(), metric.values.end(), value);
    if (known == metric.values.end()) return std::nullopt;
    return place + static_cast<std::size_t>(known - metric.values.begin());
  }
  return std::nullopt;
}

}  // namespace

std::span<const AgentMetric> agent_metrics() { return kMetrics; }

const AgentMetric* find_agent_metric(std::string_view name) {
  const auto* const found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                         [&](const auto& metric) { return metric.name == name; });
  return found == kMetrics.end() ? nullptr : &*found;
}

AgentHealth::AddOutcome AgentHealth::add(std::string_view name, std::string_view label_value,
                                         double value) {
  const auto place = place_of_series(name, label_value);
  if (!place || !std::isfinite(value)) return AddOutcome::kUnknown;
  // The first one stays. What repeats a series contradicts itself, and a text that is read again
  // must not come to another result because its lines stand in another order.
  if (values_[*place]) return AddOutcome::kRepeated;
  values_[*place] = value;
  return AddOutcome::kTaken;
}

std::optional<double> AgentHealth::value(std::string_view name,
                                         std::string_view label_value) const {
  const auto place = place_of_series(name, label_value);
  return place ? values_[*place] : std::nullopt;
}

}  // namespace vigia::monitor::live
