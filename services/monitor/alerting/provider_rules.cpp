#include "services/monitor/alerting/provider_rules.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "services/monitor/alerting/condition_rules.hpp"
#include "services/monitor/alerting/directory_rules.hpp"

namespace vigia::monitor::alerting {
namespace {

constexpr Duration kProviderHold = std::chrono::minutes(5);

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

// A chunk is tried for half an hour before it is set aside, so the counter was seen at 0 before it
// goes up: unlike one of damage found at the start, it has an increase. An hour, so that who comes
// later still sees it.
AlertRule chunks_set_aside() {
  return {
      "ChunksSetAside",
      "sum by (job, instance) (increase("
      "vigia_storage_chunks_set_aside_total{customer_id=\"\"}[1h])) > 0",
      Duration::zero(),
      Duration::zero(),
      "critical",
      "{{ $labels.job }} ({{ $labels.instance }}) apartó datos que su almacén no acepta: faltan "
      "en las consultas; su registro dice de qué cliente",
      "{{ $labels.job }} ({{ $labels.instance }}) set data aside that its store does not take: "
      "queries miss it; its log says of which customer"};
}

// Faults of our own, and what they cost.
std::vector<AlertRule> fault_rules() {
  const Duration none = Duration::zero();
  return {
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
      chunks_set_aside(),
  };
}

// What our programs are configured with, and how data gets on.
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
  };
}

}  // namespace

std::vector<AlertRule> provider_rules(const RuleSettings& settings) {
  auto rules = part_rules(settings);
  for (auto more :
       {data_rules(), fault_rules(), store_rules(), directory_rules(), condition_rules()}) {
    for (auto& rule : more) rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace vigia::monitor::alerting
