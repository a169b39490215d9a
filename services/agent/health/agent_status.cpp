#include "services/agent/health/agent_status.hpp"

#include <cmath>

#include <fmt/format.h>

#include "libs/base/fault.hpp"

namespace vigia::agent::health {

namespace {

/// A tenth of a second is finer than a date tells.
constexpr double kOffsetSteps = 10;

void add_gauge(std::vector<StatusValue>& values, std::string_view name, std::string_view help,
               double value) {
  values.push_back({name, help, false, {}, value});
}

void add_counter(std::vector<StatusValue>& values, std::string_view name, std::string_view help,
                 std::uint64_t value, StatusLabels labels = {}) {
  values.push_back({name, help, true, std::move(labels), static_cast<double>(value)});
}

StatusLabels signal_label(Signal signal) { return {{"signal", std::string(to_string(signal))}}; }

std::size_t index_of(Signal signal) { return static_cast<std::size_t>(signal) - 1; }

void add_buffer(std::vector<StatusValue>& values, const buffer::BufferStats& buffer) {
  add_gauge(values, "agent_buffer_usage_percent",
            "How full the buffer is, the fuller of bytes and age", buffer.usage_percent);
  add_gauge(values, "agent_buffer_bytes", "Bytes on disk that are not acknowledged",
            static_cast<double>(buffer.bytes));
  for (const auto& [reason, items] : buffer.dropped) {
    add_counter(values, "agent_buffer_dropped_total", "Points, spans and log records dropped",
                items, {{"reason", reason}});
  }
  add_counter(values, "agent_buffer_damaged_records_total",
              "Passages of the buffer that could not be read", buffer.damaged_records);
  add_gauge(values, "agent_buffer_damage_recent",
            "1 from when damage was found until an hour of running after it, over restarts",
            buffer.is_damage_recent ? 1 : 0);
  add_counter(values, "agent_clock_jumps_total",
              "Jumps of the wall clock by which the buffer did not age", buffer.clock_jumps);
}

void add_traffic(std::vector<StatusValue>& values, const sender::SenderStatus& sender,
                 const AgentCounters& counters) {
  for (const Signal signal : buffer::kSignals) {
    add_counter(values, "agent_items_sent_total", "Items that the collector has taken",
                sender.counts(signal).sent_items, signal_label(signal));
  }
  for (const Signal signal : buffer::kSignals) {
    add_counter(values, "agent_items_rejected_total", "Items that it left out of what it took",
                sender.counts(signal).rejected_items, signal_label(signal));
  }
  for (const Signal signal : buffer::kSignals) {
    add_counter(values, "agent_items_refused_total", "Items in requests refused for good",
                sender.counts(signal).refused_items, signal_label(signal));
  }
  for (const Signal signal : buffer::kSignals) {
    add_counter(values, "agent_relay_items_total", "Items taken from applications",
                counters.relayed_items[index_of(signal)], signal_label(signal));
  }
  for (const Signal signal : buffer::kSignals) {
    add_counter(values, "agent_relay_requests_refused_total", "Requests of applications refused",
                counters.relay_refusals[index_of(signal)], signal_label(signal));
  }
  add_counter(values, "agent_relay_items_left_out_total",
              "Delta points for which the agent has no room, left out of what it took",
              counters.relay_items_left_out);
}

}  // namespace

AgentStatus::AgentStatus(Parts parts)
    : parts_(parts), started_(parts.clock.steady()), started_ns_(parts.clock.wall_ns()) {}

HealthReport AgentStatus::report() {
  HealthReport report;
  report.buffer = parts_.buffer.stats();
  report.uptime = parts_.clock.steady() - started_;
  report.is_collector_reachable = parts_.sender.is_reachable();
  if (!report.is_collector_reachable) {
    report.reasons.push_back("collector: " + parts_.sender.failure());
  }
  if (const std::string refusal = parts_.sender.recent_refusal(); !refusal.empty()) {
    report.reasons.push_back("collector refuses data for good: " + refusal);
  }
  report.clock_offset_s = parts_.sender.clock_offset().seconds();
  if (std::string future = parts_.sender.recent_future(); !future.empty()) {
    report.reasons.push_back(std::move(future));
  }
  if (report.buffer.usage_percent > kBufferDegradedPercent) {
    report.reasons.push_back(fmt::format("buffer is {:.0f}% full", report.buffer.usage_percent));
  }
  if (report.buffer.is_full || report.buffer.held_items > 0) {
    report.reasons.push_back(fmt::format(
        "the disk does not take the buffer's data; {} of the agent's own points are held "
        "in memory",
        report.buffer.held_items));
  }
  if (report.buffer.is_damage_recent) {
    report.reasons.push_back(fmt::format(
        "damaged records in the buffer: {} passages since the start, the log says where",
        report.buffer.damaged_records));
  }
  return report;
}

/// One list for /health and for the metrics that are sent, so that the two never tell different
/// things.
std::vector<StatusValue> AgentStatus::values() {
  const HealthReport now = report();
  std::vector<StatusValue> values;
  add_gauge(values, "agent_healthy", "1 where /health says healthy, 0 where degraded",
            now.reasons.empty() ? 1 : 0);
  add_gauge(values, "agent_collector_reachable", "1 while the collector takes what is sent",
            now.is_collector_reachable ? 1 : 0);
  add_gauge(values, "agent_uptime_seconds", "Time since the agent started",
            std::chrono::duration<double>(std::chrono::floor<std::chrono::milliseconds>(now.uptime))
                .count());
  if (now.clock_offset_s) {
    add_gauge(values, "agent_clock_offset_seconds",
              "How far this node's clock is ahead of the collector's, to a second",
              std::round(*now.clock_offset_s * kOffsetSteps) / kOffsetSteps);
  }
  add_buffer(values, now.buffer);
  add_traffic(values, parts_.sender, parts_.counters);
  add_gauge(values, "agent_points_held", "Own points in memory until the disk takes them",
            static_cast<double>(now.buffer.held_items));
  add_counter(values, "agent_points_lost_total",
              "Own points that the disk did not take while there was room for them in memory",
              now.buffer.lost_items);
  add_counter(values, "agent_host_read_errors_total", "Files of the host that could not be read",
              parts_.counters.host_read_errors);
  add_counter(values, "agent_faults_total",
              "Faults of the agent itself that were caught; its log says where", fault_count());
  add_gauge(values, "agent_filesystems_stuck", "Mounts that do not answer",
            static_cast<double>(parts_.counters.filesystems_stuck));
  return values;
}

std::vector<host::MetricFamily> status_families(const std::vector<StatusValue>& values,
                                                std::int64_t started_ns) {
  std::vector<host::MetricFamily> families;
  for (const StatusValue& value : values) {
    // values() gives all of a name one after the other, so a look at the last one is enough.
    if (families.empty() || families.back().name != value.name) {
      const auto kind =
          value.is_counter ? host::InstrumentKind::kCounter : host::InstrumentKind::kGauge;
      families.push_back({value.name, "", value.help, kind, true, started_ns, {}});
    }
    families.back().points.push_back({value.labels, value.value});
  }
  return families;
}

}  // namespace vigia::agent::health
