#include "services/monitor/alerting/rules.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/monitor/alerting/node_rules.hpp"

namespace vigia::monitor::alerting {
namespace {

// The directory as the hot store has it: one series for each watched node, made by the scrape of
// the targets that vigia-monitor lists. topk: never two for a node, which would be an error.
constexpr std::string_view kDirectory =
    "group_left (node_region, environment) "
    "(0 * topk by (customer_id, node_id) (1, up{job=\"customer-agents\"}) + 1)";

// As it is written in Spanish, with a decimal comma.
constexpr std::string_view kSpanishValue = R"({{ humanize $value | reReplaceAll "[.]" "," }})";

// `test` of each node's largest (or smallest) value, with the labels that the directory has for it.
std::string of_directory_nodes(std::string_view aggregate, std::string_view metric,
                               std::string_view test) {
  return fmt::format("({} by (customer_id, node_id) ({}) {}) * on (customer_id, node_id) {}",
                     aggregate, metric, test, kDirectory);
}

// Of what a node says of itself.
std::vector<AlertRule> node_warnings(const RuleSettings& settings) {
  const RuleLabels no_labels;
  return {
      {"AgentCollectorUnreachable", of_directory_nodes("min", "agent_collector_reachable", "== 0"),
       settings.collector_unreachable_for, settings.keep_firing_for, "warning",
       "Agente {{ $labels.node_id }} no puede conectar al Collector",
       "Agent {{ $labels.node_id }} cannot reach the collector",
       "Agente {{ $labels.node_id }} ya no dice que no puede conectar al Collector",
       "Agent {{ $labels.node_id }} no longer says that it cannot reach the collector", no_labels,
       "El agente no llega al collector", "Agent cannot reach the collector"},
      {"HighCPUUsage", of_directory_nodes("max", "system_cpu_usage", "> 85"), settings.high_cpu_for,
       settings.keep_firing_for, "warning",
       fmt::format("CPU alta en {{{{ $labels.node_id }}}}: {}%", kSpanishValue),
       "High CPU on {{ $labels.node_id }}: {{ humanize $value }}%",
       "CPU en {{ $labels.node_id }} ya no se ve por encima del 85%",
       "CPU on {{ $labels.node_id }} is no longer seen above 85%", no_labels, "CPU alta",
       "High CPU"},
      {"HighMemoryUsage", of_directory_nodes("max", "system_memory_usage_percent", "> 90"),
       settings.high_memory_for, settings.keep_firing_for, "warning",
       fmt::format("Memoria alta en {{{{ $labels.node_id }}}}: {}%", kSpanishValue),
       "High memory on {{ $labels.node_id }}: {{ humanize $value }}%",
       "Memoria en {{ $labels.node_id }} ya no se ve por encima del 90%",
       "Memory on {{ $labels.node_id }} is no longer seen above 90%", no_labels, "Memoria alta",
       "High memory"},
  };
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
  const RuleLabels no_labels;
  std::vector<AlertRule> rules = {
      {"CustomerNodeDown", node_down_expression(), settings.node_down_for, none, "critical",
       "Nodo {{ $labels.node_id }} del cliente {{ $labels.customer_id }} está caído",
       "Node {{ $labels.node_id }} of customer {{ $labels.customer_id }} is down",
       "Nodo {{ $labels.node_id }} del cliente {{ $labels.customer_id }} ya no está caído",
       "Node {{ $labels.node_id }} of customer {{ $labels.customer_id }} is no longer down",
       no_labels, "Nodo caído", "Node down"},
      {"CollectorDown", "up{job=\"otel-collector\"} == 0", settings.collector_down_for, none,
       "critical", "Collector central está caído - sin ingesta de datos",
       "The central collector is down: no data is taken in", "Collector central ya no está caído",
       "The central collector is no longer down", no_labels, "Collector caído", "Collector down"},
      {"AgentBufferSaturated", of_directory_nodes("max", "agent_buffer_usage_percent", "> 90"),
       settings.buffer_saturated_for, settings.keep_firing_for, "critical",
       fmt::format("Buffer del agente {{{{ $labels.node_id }}}} al {}%", kSpanishValue),
       "Buffer of agent {{ $labels.node_id }} at {{ humanize $value }}%",
       "Buffer del agente {{ $labels.node_id }} ya no se ve por encima del 90%",
       "Buffer of agent {{ $labels.node_id }} is no longer seen above 90%", no_labels,
       "Buffer del agente casi lleno", "Agent's buffer almost full"},
  };
  for (auto& rule : node_warnings(settings)) rules.push_back(std::move(rule));
  return rules;
}

}  // namespace vigia::monitor::alerting
