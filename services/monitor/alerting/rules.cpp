#include "services/monitor/alerting/rules.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"

namespace vigia::monitor {
namespace {

// The newest sample of a silent series is seen for 5 minutes; after that the alert is kept alive as
// long again before it counts as solved.
constexpr Duration kKeepFiring = std::chrono::minutes(5);

// Counters that the collector shows without _total (the founding document's spelling); newer
// dashboards ask for the longer name.
constexpr auto kCollectorCounters = std::to_array<std::string_view>(
    {"otelcol_receiver_accepted_spans", "otelcol_receiver_accepted_metric_points",
     "otelcol_receiver_accepted_log_records", "otelcol_receiver_refused_spans",
     "otelcol_receiver_refused_metric_points", "otelcol_receiver_refused_log_records",
     "otelcol_exporter_sent_spans", "otelcol_exporter_sent_metric_points",
     "otelcol_exporter_sent_log_records", "otelcol_exporter_send_failed_spans",
     "otelcol_exporter_send_failed_metric_points", "otelcol_exporter_send_failed_log_records"});

std::string render_rule(const AlertRule& rule) {
  auto text = fmt::format(
      "      - alert: {}\n"
      "        expr: {}\n"
      "        for: {}\n",
      rule.name, json_text(rule.expression), format_duration(rule.hold));
  if (rule.keep_firing > Duration::zero()) {
    text += fmt::format("        keep_firing_for: {}\n", format_duration(rule.keep_firing));
  }
  return text + fmt::format(
                    "        labels:\n"
                    "          severity: {}\n"
                    "        annotations:\n"
                    "          summary: {}\n",
                    rule.severity, json_text(rule.summary));
}

std::string render_group(std::string_view name, std::string_view severity,
                         const RuleSettings& settings) {
  auto text = fmt::format("  - name: {}\n    interval: {}\n    rules:\n", name,
                          format_duration(settings.interval));
  for (const auto& rule : standard_rules(settings)) {
    if (rule.severity == severity) text += render_rule(rule);
  }
  return text;
}

}  // namespace

Duration default_interval(const RuleSettings& settings) {
  const Duration shortest = std::min(
      {settings.node_down_for, settings.collector_down_for, settings.buffer_saturated_for,
       settings.collector_unreachable_for, settings.high_cpu_for, settings.high_memory_for});
  return std::clamp<Duration>(shortest / 2, std::chrono::seconds(1), std::chrono::seconds(30));
}

std::vector<AlertRule> standard_rules(const RuleSettings& settings) {
  const Duration none = Duration::zero();
  return {
      {"CustomerNodeDown", "up{job=\"customer-agents\"} == 0", settings.node_down_for, none,
       "critical", "Nodo {{ $labels.node_id }} del cliente {{ $labels.customer_id }} está caído"},
      {"CollectorDown", "up{job=\"otel-collector\"} == 0", settings.collector_down_for, none,
       "critical", "Collector central está caído - sin ingesta de datos"},
      {"AgentBufferSaturated", "agent_buffer_usage_percent > 90", settings.buffer_saturated_for,
       kKeepFiring, "critical", "Buffer del agente {{ $labels.node_id }} al {{ $value }}%"},
      {"AgentCollectorUnreachable", "agent_collector_reachable == 0",
       settings.collector_unreachable_for, kKeepFiring, "warning",
       "Agente {{ $labels.node_id }} no puede conectar al Collector"},
      {"HighCPUUsage", "system_cpu_usage > 85", settings.high_cpu_for, kKeepFiring, "warning",
       "CPU alta en {{ $labels.node_id }}: {{ $value }}%"},
      {"HighMemoryUsage", "system_memory_usage_percent > 90", settings.high_memory_for, kKeepFiring,
       "warning", "Memoria alta en {{ $labels.node_id }}: {{ $value }}%"},
  };
}

std::string render_rules(const RuleSettings& settings) {
  std::string text =
      "# Written by vigia-monitor; changes here are lost. Vigía's configuration, key alerting.\n"
      "groups:\n";
  text += render_group("critical_alerts", "critical", settings);
  text += render_group("warning_alerts", "warning", settings);
  text += fmt::format("  - name: collector_names\n    interval: {}\n    rules:\n",
                      format_duration(settings.interval));
  for (const auto name : kCollectorCounters) {
    text += fmt::format("      - record: {0}_total\n        expr: {0}\n", name);
  }
  return text;
}

}  // namespace vigia::monitor
