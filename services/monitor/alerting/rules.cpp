#include "services/monitor/alerting/rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "services/monitor/alerting/condition_rules.hpp"
#include "services/monitor/alerting/directory_rules.hpp"

namespace vigia::monitor::alerting {
namespace {

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
  text += fmt::format(
      "        labels:\n"
      "          severity: {}\n"
      "        annotations:\n"
      "          summary: {}\n"
      "          summary_en: {}\n",
      rule.severity, json_text(rule.summary), json_text(rule.summary_en));
  if (rule.resolved.empty()) return text;
  return text + fmt::format("          resolved: {}\n          resolved_en: {}\n",
                            json_text(rule.resolved), json_text(rule.resolved_en));
}

std::string begin_group(std::string_view name, const RuleSettings& settings) {
  return fmt::format("  - name: {}\n    interval: {}\n    rules:\n", name,
                     format_duration(settings.interval));
}

std::string render_group(std::string_view name, const std::vector<AlertRule>& rules,
                         const RuleSettings& settings) {
  auto text = begin_group(name, settings);
  for (const auto& rule : rules) text += render_rule(rule);
  return text;
}

std::string render_record(std::string_view name, const std::string& expression) {
  return fmt::format("      - record: {}\n        expr: {}\n", name, json_text(expression));
}

constexpr Duration kProviderHold = std::chrono::minutes(5);

// The directory as the hot store has it: one series for each watched node, made by the scrape of
// the targets that vigia-monitor lists. topk: never two for a node, which would be an error.
constexpr std::string_view kDirectory =
    "group_left (node_region, environment) "
    "(0 * topk by (customer_id, node_id) (1, up{job=\"customer-agents\"}) + 1)";

// `test` of each node's largest (or smallest) value, with the labels that the directory has for it.
std::string of_directory_nodes(std::string_view aggregate, std::string_view metric,
                               std::string_view test) {
  return fmt::format("({} by (customer_id, node_id) ({}) {}) * on (customer_id, node_id) {}",
                     aggregate, metric, test, kDirectory);
}

// A node that never lived is listed with the label waiting. Once fired, an alert stays as long as
// the node does not answer, our outage or not: else its end would look like a cure.
std::string node_down_expression() {
  const std::string_view down =
      "max by (job, customer_id, node_id, node_region, environment, reach) "
      "(up{job=\"customer-agents\",waiting=\"\"}) == 0";
  return fmt::format(
      "{0} unless on (reach) vigia:own_outage unless on (customer_id, reach) vigia:customer_outage "
      "unless on (customer_id, node_id, reach) vigia:node_outage "
      "or {0} and on (customer_id, node_id) "
      "ALERTS{{alertname=\"CustomerNodeDown\",alertstate=\"firing\"}}",
      down);
}

// 1 while something of ours is away through which a node that pushes is seen. A hot store that has
// just started counts, unless it is new: what it missed is still on its way. Names without
// customer_id are ours: what customers send has always one.
std::string own_part_away(const RuleSettings& settings) {
  const auto started = std::max<Duration>(2 * settings.interval, std::chrono::seconds(4));
  return fmt::format(
      "clamp_max("
      "(count(max by (job) (up{{customer_id=\"\","
      "job=~\"otel-collector|vigia-router|vigia-monitor\"}}) == 0) or vector(0))"
      " + (count(vigia_monitor_live_state_age_seconds{{customer_id=\"\"}} > 30) or vector(0))"
      " + (count(vigia_log_is_full{{customer_id=\"\"}} == 1) or vector(0))"
      " + (count(time() - process_start_time_seconds{{customer_id=\"\",job=\"prometheus\"}} < {0})"
      " and on () (count_over_time(vigia:own_good_seconds[1d] offset {0}s) > 0) or vector(0)), 1)",
      std::chrono::duration_cast<std::chrono::seconds>(started).count());
}

// For a grace after the last moment; and after a long outage, seen by too few good moments in five
// graces (a hot store that was away has none), until those are few no more. Where nothing is known
// of an earlier time, the hot store is new and nothing was missed.
std::string own_outage(const RuleSettings& settings) {
  const auto window = 5 * settings.outage_grace;
  const double good_min = std::chrono::duration<double>(window).count() * 0.8;
  return fmt::format(
      "max_over_time(vigia:own_part_away[{0}]) > 0 or "
      "(sum_over_time(vigia:own_good_seconds[{1}]) < {2} "
      "and count_over_time(vigia:own_good_seconds[1d] offset {1}) > 0)",
      format_duration(settings.outage_grace), format_duration(window), good_min);
}

// How long it was good, in the seconds that one evaluation stands for: their sum stays right where
// the interval was changed within the time that is summed up.
std::string own_good_seconds(const RuleSettings& settings) {
  return fmt::format("(1 - vigia:own_part_away) * {}",
                     std::chrono::duration<double>(settings.interval).count());
}

// The same of nodes that are asked: vigia-monitor asks them, so neither its absence nor that its
// database does not tell where they are is a silence of theirs.
std::string asking_outage(const RuleSettings& settings) {
  return fmt::format("max_over_time(vigia:asking_part_away[{}]) > 0",
                     format_duration(settings.outage_grace));
}

constexpr std::string_view kAskingPartAway =
    "clamp_max((count(max by (job) (up{customer_id=\"\",job=\"vigia-monitor\"}) == 0) or vector(0))"
    " + (count(vigia_monitor_places_unknown{customer_id=\"\"} == 1) or vector(0)), 1)";

// Ours towards one customer alone: nobody looks at its nodes, or the collector has taken nothing of
// it for want of memory. No customer's doing holds what is told of another's nodes.
std::string customer_outage(const RuleSettings& settings) {
  return fmt::format(
      "max by (customer_id) ("
      "max_over_time(vigia_monitor_customer_is_unseen{{job=\"vigia-monitor\"}}[{0}]) or "
      "max_over_time(vigia_memory_shut_out{{job=\"otel-collector\"}}[{0}])) > 0",
      format_duration(settings.outage_grace));
}

// The same of nodes that are asked: where is not looked up yet, of one node or of many. Names and
// what resolves them are that customer's alone.
std::string places_outage(const RuleSettings& settings, std::string_view labels,
                          std::string_view metric) {
  return fmt::format("max by ({}) (max_over_time({}{{job=\"vigia-monitor\"}}[{}])) > 0", labels,
                     metric, format_duration(settings.outage_grace));
}

std::string render_node_group(const RuleSettings& settings, const AlertRule& node_down) {
  const std::string of_pushing_nodes = "        labels:\n          reach: push\n";
  const std::string of_asked_nodes = "        labels:\n          reach: scrape\n";
  return begin_group("node_alerts", settings) +
         render_record("vigia:own_part_away", own_part_away(settings)) +
         render_record("vigia:own_good_seconds", own_good_seconds(settings)) +
         render_record("vigia:own_outage", own_outage(settings)) + of_pushing_nodes +
         render_record("vigia:asking_part_away", std::string(kAskingPartAway)) +
         render_record("vigia:own_outage", asking_outage(settings)) + of_asked_nodes +
         render_record("vigia:customer_outage", customer_outage(settings)) + of_pushing_nodes +
         render_record(
             "vigia:customer_outage",
             places_outage(settings, "customer_id", "vigia_monitor_customer_places_unknown")) +
         of_asked_nodes +
         render_record("vigia:node_outage", places_outage(settings, "customer_id, node_id",
                                                          "vigia_monitor_node_place_unknown")) +
         of_asked_nodes +
         render_rule({std::string(kNodeAlertsHeld), "vigia:own_outage", Duration::zero(),
                      Duration::zero(), "info",
                      "Vigía misma falta o acaba de volver: los nodos "
                      "{{ if eq $labels.reach \"push\" }}que envían{{ else }}consultados{{ end }} "
                      "no se juzgan",
                      "Vigía itself is away or has just come back: nodes that "
                      "{{ if eq $labels.reach \"push\" }}push{{ else }}are asked{{ end }} are not "
                      "judged"}) +
         render_rule(node_down);
}

std::string render_watchdog_group(const RuleSettings& settings, std::string_view shard) {
  return begin_group("watchdog", settings) +
         fmt::format(
             "      - alert: {}\n"
             "        expr: vector(1)\n"
             "        labels:\n"
             "          severity: none\n"
             "          shard: {}\n"
             "        annotations:\n"
             "          summary: {}\n"
             "          summary_en: {}\n",
             kWatchdog, json_text(shard),
             json_text("Siempre activa: mientras llega, las alertas se evalúan y se envían"),
             json_text("Always active: while it arrives, alerts are evaluated and sent"));
}

std::vector<AlertRule> of_severity(const std::vector<AlertRule>& rules, std::string_view severity) {
  std::vector<AlertRule> found;
  for (const auto& rule : rules) {
    const bool has_own_group = rule.name == "CustomerNodeDown" || rule.name == "CollectorDown";
    if (!has_own_group && rule.severity == severity) found.push_back(rule);
  }
  return found;
}

/// What the router sees of the stores that it asks.
std::vector<AlertRule> store_rules() {
  const Duration none = Duration::zero();
  return {
      {"StoreNotAnswering",
       "min by (instance, store) (vigia_router_store_answers{customer_id=\"\"}) == 0",
       kProviderHold, none, "critical",
       "El almacén {{ $labels.store }} no responde a vigia-router ({{ $labels.instance }}): faltan "
       "datos en las consultas",
       "The store {{ $labels.store }} does not answer vigia-router ({{ $labels.instance }}): "
       "queries miss data"},
      {"ColdStoreReplaced",
       "max by (instance) (vigia_router_cold_store_is_replaced{customer_id=\"\"}) == 1",
       kProviderHold, none, "critical",
       "Otro almacén a largo plazo está en el lugar del conocido ({{ $labels.instance }}): lo "
       "anterior no está en él",
       "Another long-term store stands in the place of the known one ({{ $labels.instance }}): "
       "what was before is not in it"},
      {"StoreQueriesUnbounded",
       "max by (instance, store) (vigia_router_store_is_unbounded{customer_id=\"\"}) == 1",
       kProviderHold, none, "warning",
       "Una sola consulta puede ocupar demasiada memoria de {{ $labels.store }}: iníciese con "
       "--query.max-samples=5000000",
       "One query may take too much of {{ $labels.store }}'s memory: start it with "
       "--query.max-samples=5000000"},
  };
}

// The provider's own receivers; and the mail server, where of three addresses or more none gets
// anything. What else fails is a customer's channel, which shows its failure to that customer
// alone. An Alertmanager that does not name receivers has one sum, of all.
constexpr std::string_view kNotificationsFailing =
    "sum by (instance, integration, receiver_name) (increase("
    "alertmanager_notifications_failed_total{customer_id=\"\","
    "receiver_name=~\"(provider|dead-mans-switch)?\"}[10m])) > 0"
    " or (count by (instance, integration) (sum by (instance, integration, receiver_name) "
    "(increase("
    "alertmanager_notifications_failed_total{customer_id=\"\",integration=\"email\","
    "receiver_name!=\"\"}[10m])) > 0) > 2)"
    " unless on (instance) sum by (instance) (increase("
    "alertmanager_notifications_total{customer_id=\"\",integration=\"email\"}[10m])) > "
    "sum by (instance) (increase("
    "alertmanager_notifications_failed_total{customer_id=\"\",integration=\"email\"}[10m]))";

// Our own programs, and whether what they say arrives.
std::vector<AlertRule> part_rules(const RuleSettings& settings) {
  const Duration none = Duration::zero();
  return {
      {"VigiaPartDown",
       "up{customer_id=\"\",job=~\"vigia-storage|vigia-router|vigia-monitor|prometheus|"
       "prometheus-query|alertmanager\"} == 0",
       settings.collector_down_for, none, "critical",
       "{{ $labels.job }} ({{ $labels.instance }}) no responde",
       "{{ $labels.job }} ({{ $labels.instance }}) does not answer"},
      {"RuleEvaluationFailing",
       "sum by (instance) (increase(prometheus_rule_evaluation_failures_total{customer_id=\"\"}"
       "[5m])) > 0",
       none, none, "critical", "Reglas de alerta fallan en {{ $labels.instance }}",
       "Alert rules fail on {{ $labels.instance }}"},
      {"NotificationsDropped",
       "sum by (instance) (increase(prometheus_notifications_dropped_total{customer_id=\"\"}[5m]))"
       " > 0",
       none, none, "critical",
       "{{ $labels.instance }} perdió {{ printf \"%.0f\" $value }} notificaciones de alertas",
       "{{ $labels.instance }} lost {{ printf \"%.0f\" $value }} alert notifications"},
      {"NotificationsFailing", std::string(kNotificationsFailing), none, none, "warning",
       "Avisos que no llegan: {{ $labels.integration }}"
       "{{ with $labels.receiver_name }} ({{ . }}){{ end }}",
       "Notifications that do not arrive: {{ $labels.integration }}"
       "{{ with $labels.receiver_name }} ({{ . }}){{ end }}"},
      {"CustomersNotLookedAt",
       "max by (instance) (vigia_monitor_customers_unseen{customer_id=\"\"}) > 0", kProviderHold,
       none, "warning",
       "De {{ $value }} clientes no se sabe cómo están sus nodos: sus preguntas fallan",
       "Of {{ $value }} customers it is not known how their nodes are: their questions fail"},
      {"CollectorMemoryShort",
       "max by (instance) (max_over_time("
       "vigia_memory_is_short{customer_id=\"\",job=\"otel-collector\"}[5m])) == 1",
       none, none, "critical",
       "El collector {{ $labels.instance }} solo acepta peticiones pequeñas por falta de memoria",
       "Collector {{ $labels.instance }} takes small requests only, for want of memory"},
  };
}

// What our programs are configured with, keep, and lose.
std::vector<AlertRule> data_rules() {
  const Duration none = Duration::zero();
  return {
      {"ConfigurationNotLoaded",
       "min by (job, instance) (prometheus_config_last_reload_successful{customer_id=\"\"} or "
       "alertmanager_config_last_reload_successful{customer_id=\"\"}) == 0",
       kProviderHold, none, "warning", "{{ $labels.job }} no acepta su configuración",
       "{{ $labels.job }} does not take its configuration"},
      {"HotStoreLate",
       "time() - max by (shard) (max_over_time(timestamp(vigia_hot_heartbeat{customer_id=\"\"})"
       "[1h:1m])) > 300",
       kProviderHold, none, "warning",
       "Al almacén caliente {{ $labels.shard }} le faltan datos desde hace "
       "{{ humanizeDuration $value }}",
       "The hot store {{ $labels.shard }} has missed data for {{ humanizeDuration $value }}"},
      {"DeliveryLate",
       "max by (instance, exporter) (vigia_exporter_oldest_waiting_seconds{customer_id=\"\","
       "job=\"otel-collector\"}) > 300",
       kProviderHold, none, "warning",
       "{{ $labels.exporter }}: lo más viejo espera desde hace {{ humanizeDuration $value }}",
       "{{ $labels.exporter }}: the oldest has waited for {{ humanizeDuration $value }}"},
      {"CollectorLogFilling",
       "max by (instance) (vigia_log_bytes{customer_id=\"\",job=\"otel-collector\"} / "
       "vigia_log_bytes_max > 0.75 or "
       "vigia_log_is_full{customer_id=\"\",job=\"otel-collector\"} == 1)",
       kProviderHold, none, "critical",
       "El registro en disco del collector {{ $labels.instance }} se llena: pronto rechazará "
       "datos",
       "The disk log of collector {{ $labels.instance }} is filling up: it will soon refuse data"},
      {"SideQueueFull",
       "max by (instance, exporter) (max_over_time("
       "vigia_exporter_side_is_full{customer_id=\"\",job=\"otel-collector\"}[5m])) == 1",
       none, none, "critical",
       "El collector {{ $labels.instance }} no tiene disco para apartar lo que {{ $labels.exporter "
       "}} "
       "no acepta: libere espacio",
       "Collector {{ $labels.instance }} has no disk to set aside what {{ $labels.exporter }} does "
       "not take: make room"},
      {"VigiaFault",
       "sum by (job, instance) (increase(vigia_faults_total{customer_id=\"\"}[10m])) > 0", none,
       none, "warning",
       "Fallo interno de {{ $labels.job }} ({{ $labels.instance }}); está en su registro",
       "Internal fault of {{ $labels.job }} ({{ $labels.instance }}); its log has it"},
      {"StoredDataDamaged",
       // A counter that is 1 at its first scrape, or 1 again after a restart, has no increase.
       "max by (job, instance) (vigia_storage_damage_recent{customer_id=\"\"} or "
       "vigia_log_damage_recent{customer_id=\"\"}) > 0",
       none, none, "critical",
       "Datos dañados en el disco de {{ $labels.job }} ({{ $labels.instance }})",
       "Damaged data on the disk of {{ $labels.job }} ({{ $labels.instance }})"},
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
  return {
      {"CustomerNodeDown", node_down_expression(), settings.node_down_for, none, "critical",
       "Nodo {{ $labels.node_id }} del cliente {{ $labels.customer_id }} está caído",
       "Node {{ $labels.node_id }} of customer {{ $labels.customer_id }} is down",
       "Nodo {{ $labels.node_id }} del cliente {{ $labels.customer_id }} ya no está caído",
       "Node {{ $labels.node_id }} of customer {{ $labels.customer_id }} is no longer down"},
      {"CollectorDown", "up{job=\"otel-collector\"} == 0", settings.collector_down_for, none,
       "critical", "Collector central está caído - sin ingesta de datos",
       "The central collector is down: no data is taken in", "Collector central ya no está caído",
       "The central collector is no longer down"},
      {"AgentBufferSaturated", of_directory_nodes("max", "agent_buffer_usage_percent", "> 90"),
       settings.buffer_saturated_for, settings.keep_firing_for, "critical",
       "Buffer del agente {{ $labels.node_id }} al {{ humanize $value }}%",
       "Buffer of agent {{ $labels.node_id }} at {{ humanize $value }}%",
       "Buffer del agente {{ $labels.node_id }} ya no se ve por encima del 90%",
       "Buffer of agent {{ $labels.node_id }} is no longer seen above 90%"},
      {"AgentCollectorUnreachable", of_directory_nodes("min", "agent_collector_reachable", "== 0"),
       settings.collector_unreachable_for, settings.keep_firing_for, "warning",
       "Agente {{ $labels.node_id }} no puede conectar al Collector",
       "Agent {{ $labels.node_id }} cannot reach the collector",
       "Agente {{ $labels.node_id }} ya no dice que no puede conectar al Collector",
       "Agent {{ $labels.node_id }} no longer says that it cannot reach the collector"},
      {"HighCPUUsage", of_directory_nodes("max", "system_cpu_usage", "> 85"), settings.high_cpu_for,
       settings.keep_firing_for, "warning",
       "CPU alta en {{ $labels.node_id }}: {{ humanize $value }}%",
       "High CPU on {{ $labels.node_id }}: {{ humanize $value }}%",
       "CPU en {{ $labels.node_id }} ya no se ve por encima del 85%",
       "CPU on {{ $labels.node_id }} is no longer seen above 85%"},
      {"HighMemoryUsage", of_directory_nodes("max", "system_memory_usage_percent", "> 90"),
       settings.high_memory_for, settings.keep_firing_for, "warning",
       "Memoria alta en {{ $labels.node_id }}: {{ humanize $value }}%",
       "High memory on {{ $labels.node_id }}: {{ humanize $value }}%",
       "Memoria en {{ $labels.node_id }} ya no se ve por encima del 90%",
       "Memory on {{ $labels.node_id }} is no longer seen above 90%"},
  };
}

std::vector<AlertRule> provider_rules(const RuleSettings& settings) {
  auto rules = part_rules(settings);
  for (auto more : {data_rules(), store_rules(), directory_rules(), condition_rules()}) {
    for (auto& rule : more) rules.push_back(std::move(rule));
  }
  return rules;
}

std::string render_rules(const RuleSettings& settings, std::string_view shard) {
  const auto rules = standard_rules(settings);
  std::string text =
      "# Written by vigia-monitor; changes here are lost. Vigía's configuration, key alerting.\n"
      "groups:\n";
  text += render_watchdog_group(settings, shard);
  text += render_node_group(settings, rules[0]);
  text += render_group("collector_alerts", {rules[1]}, settings);
  text += render_group("critical_alerts", of_severity(rules, "critical"), settings);
  text += render_group("warning_alerts", of_severity(rules, "warning"), settings);
  text += render_group("provider_alerts", provider_rules(settings), settings);
  text += begin_group("collector_names", settings);
  for (const auto name : kCollectorCounters) {
    text += render_record(fmt::format("{}_total", name), std::string(name));
  }
  return text;
}

}  // namespace vigia::monitor::alerting
