#include "services/monitor/alerting/rule_file.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "services/monitor/alerting/node_rules.hpp"
#include "services/monitor/alerting/provider_rules.hpp"

namespace vigia::monitor::alerting {
namespace {

constexpr std::string_view kHead =
    "# Written by vigia-monitor; changes here are lost. Vigía's configuration, key alerting.\n";

// What the collector shows without _total or a unit (the founding document's spelling); newer
// dashboards ask for the longer name, by one of these suffixes.
struct LongerName {
  std::string_view name;
  std::string_view suffix = "_total";
};
constexpr auto kCollectorNames =
    std::to_array<LongerName>({{"otelcol_receiver_accepted_spans"},
                               {"otelcol_receiver_accepted_metric_points"},
                               {"otelcol_receiver_accepted_log_records"},
                               {"otelcol_receiver_refused_spans"},
                               {"otelcol_receiver_refused_metric_points"},
                               {"otelcol_receiver_refused_log_records"},
                               {"otelcol_exporter_sent_spans"},
                               {"otelcol_exporter_sent_metric_points"},
                               {"otelcol_exporter_sent_log_records"},
                               {"otelcol_exporter_send_failed_spans"},
                               {"otelcol_exporter_send_failed_metric_points"},
                               {"otelcol_exporter_send_failed_log_records"},
                               {"otelcol_processor_accepted_spans"},
                               {"otelcol_processor_accepted_metric_points"},
                               {"otelcol_processor_accepted_log_records"},
                               {"otelcol_processor_refused_spans"},
                               {"otelcol_processor_refused_metric_points"},
                               {"otelcol_processor_refused_log_records"},
                               {"otelcol_processor_dropped_spans"},
                               {"otelcol_processor_dropped_metric_points"},
                               {"otelcol_processor_dropped_log_records"},
                               {"otelcol_exporter_enqueue_failed_spans"},
                               {"otelcol_exporter_enqueue_failed_metric_points"},
                               {"otelcol_exporter_enqueue_failed_log_records"},
                               {"otelcol_processor_incoming_items"},
                               {"otelcol_processor_outgoing_items"},
                               {"otelcol_processor_batch_batch_size_trigger_send"},
                               {"otelcol_processor_batch_timeout_trigger_send"},
                               {"otelcol_process_cpu_seconds"},
                               {"otelcol_process_uptime"},
                               {"otelcol_process_uptime", "_seconds_total"},
                               {"otelcol_process_memory_rss", "_bytes"}});

// Quoted whatever it holds: Prometheus' reader takes more words for something else than a string
// (yes, on) than the emitter knows of.
void quoted(std::string_view key, const std::string& text, YAML::Emitter& out) {
  out << std::string(key) << YAML::DoubleQuoted << text;
}

void write_labels(const RuleLabels& labels, YAML::Emitter& out) {
  for (const auto& [name, value] : labels) quoted(name, value, out);
}

void write_record(const RecordingRule& rule, YAML::Emitter& out) {
  out << YAML::BeginMap << "record" << rule.name;
  quoted("expr", rule.expression, out);
  if (!rule.labels.empty()) {
    out << "labels" << YAML::BeginMap;
    write_labels(rule.labels, out);
    out << YAML::EndMap;
  }
  out << YAML::EndMap;
}

void write_alert(const AlertRule& rule, YAML::Emitter& out) {
  out << YAML::BeginMap << "alert" << rule.name;
  quoted("expr", rule.expression, out);
  // Always written, also as 0s: a reader of the file sees that it was meant so.
  out << "for" << format_duration(rule.hold);
  if (rule.keep_firing > Duration::zero()) {
    out << "keep_firing_for" << format_duration(rule.keep_firing);
  }
  out << "labels" << YAML::BeginMap << "severity" << rule.severity;
  write_labels(rule.labels, out);
  out << YAML::EndMap << "annotations" << YAML::BeginMap;
  quoted("summary", rule.summary, out);
  quoted("summary_en", rule.summary_en, out);
  if (!rule.resolved.empty()) {
    quoted("resolved", rule.resolved, out);
    quoted("resolved_en", rule.resolved_en, out);
  }
  out << YAML::EndMap << YAML::EndMap;
}

RuleGroup watchdog_group(std::string_view shard) {
  AlertRule always{std::string(kWatchdog),
                   "vector(1)",
                   Duration::zero(),
                   Duration::zero(),
                   "none",
                   "Siempre activa: mientras llega, las alertas se evalúan y se envían",
                   "Always active: while it arrives, alerts are evaluated and sent"};
  always.labels = {{"shard", std::string(shard)}};
  return {"watchdog", {}, {std::move(always)}};
}

// A group is evaluated by one thread, rule after rule: those that must never be late (a node, the
// collector) stand in groups without anything that takes time, the rest is in order of what it
// costs to be late.
std::vector<AlertRule> of_severity(const std::vector<AlertRule>& rules, std::string_view severity) {
  std::vector<AlertRule> found;
  for (const auto& rule : rules) {
    const bool has_own_group = rule.name == "CustomerNodeDown" || rule.name == "CollectorDown";
    if (!has_own_group && rule.severity == severity) found.push_back(rule);
  }
  return found;
}

RuleGroup names_group() {
  RuleGroup group{"collector_names", {}, {}};
  for (const auto& [name, suffix] : kCollectorNames) {
    group.records.push_back({fmt::format("{}{}", name, suffix), std::string(name), {}});
  }
  return group;
}

}  // namespace

std::string render_groups(const std::vector<RuleGroup>& groups, Duration interval) {
  YAML::Emitter out;
  out << YAML::BeginMap << "groups" << YAML::BeginSeq;
  for (const auto& group : groups) {
    out << YAML::BeginMap << "name" << group.name << "interval" << format_duration(interval);
    out << "rules" << YAML::BeginSeq;
    for (const auto& rule : group.records) write_record(rule, out);
    for (const auto& rule : group.alerts) write_alert(rule, out);
    out << YAML::EndSeq << YAML::EndMap;
  }
  out << YAML::EndSeq << YAML::EndMap;
  return fmt::format("{}{}\n", kHead, out.c_str());
}

std::string render_rules(const RuleSettings& settings, std::string_view shard) {
  const auto rules = standard_rules(settings);
  return render_groups({watchdog_group(shard),
                        node_group(settings, rules[0]),
                        {"collector_alerts", {}, {rules[1]}},
                        {"critical_alerts", {}, of_severity(rules, "critical")},
                        {"warning_alerts", {}, of_severity(rules, "warning")},
                        {"provider_alerts", {}, provider_rules(settings)},
                        names_group()},
                       settings.interval);
}

Target rules_target(const RuleSettings& settings, const RuleDestination& destination) {
  constexpr mode_t kReadByAll = 0644;
  return {"rules of " + destination.shard, destination.directory + "/vigia.yml", kReadByAll,
          destination.url + "/-/reload",
          [settings, shard = destination.shard] { return render_rules(settings, shard); }};
}

}  // namespace vigia::monitor::alerting
