#include "services/monitor/alerting/condition_rules.hpp"

#include <fmt/format.h>

namespace vigia::monitor::alerting {
namespace {

constexpr Duration kSome = std::chrono::minutes(5);
constexpr Duration kLong = std::chrono::hours(1);
// Storage holds for an hour where it has no state of its own yet, and looks every ten minutes.
constexpr Duration kHeldAtFirst = std::chrono::minutes(90);
// Longer than nodes are held for after a long outage (five times alerting.outage_grace).
constexpr Duration kHeldTooLong = std::chrono::minutes(30);
constexpr Duration kNone = Duration::zero();

std::vector<AlertRule> time_and_directory_rules() {
  return {
      {"ClockInDoubt",
       "max by (instance) (vigia_clock_in_doubt{customer_id=\"\",job=\"otel-collector\"}) == 1",
       kSome, kNone, "critical",
       "El reloj del collector {{ $labels.instance }} está en duda: rechaza por ahora lo que va "
       "adelantado",
       "The clock of collector {{ $labels.instance }} is in doubt: it refuses for now what lies "
       "ahead"},
      {"ClocksDiffer",
       "max by (instance, exporter) (abs(vigia_exporter_clock_ahead_seconds{customer_id=\"\","
       "job=\"otel-collector\"})) > 10",
       kSome, kNone, "warning",
       "Los relojes del collector {{ $labels.instance }} y de {{ $labels.exporter }} difieren "
       "{{ printf \"%.0f\" $value }} s",
       "The clocks of collector {{ $labels.instance }} and of {{ $labels.exporter }} differ by "
       "{{ printf \"%.0f\" $value }} s"},
      {"ExpiryHeld", "max by (instance) (vigia_storage_expiry_held{customer_id=\"\"}) == 1",
       kHeldAtFirst, kNone, "warning",
       "Nada caduca en {{ $labels.instance }}: la hora está en duda; su /health dice qué hacer",
       "Nothing expires in {{ $labels.instance }}: the time is in doubt; its /health says what to "
       "do"},
      {"DirectoryStale",
       "max by (job, instance) (vigia_directory_is_stale{customer_id=\"\"} or "
       "vigia_router_directory_is_stale{customer_id=\"\"}) == 1",
       kSome, kNone, "warning",
       "{{ $labels.job }} ({{ $labels.instance }}) no sabe si su lista de clientes y tokens aún es "
       "cierta: no llega a vigia-monitor",
       "{{ $labels.job }} ({{ $labels.instance }}) does not know whether its list of customers and "
       "tokens is still true: it does not reach vigia-monitor"},
      {"NodesNotJudged", "max by (reach) (vigia:own_outage) >= 0", kHeldTooLong, kNone, "critical",
       "Las alertas de nodos están retenidas desde hace media hora: algo nuestro falta, o vuelve "
       "una y otra vez",
       "Alerts of nodes have been held for half an hour: something of ours is away, or comes back "
       "again and again"},
  };
}

std::string dropped(std::string_view range) {
  return fmt::format("vigia_items_dropped_total{{job=\"otel-collector\",reason!=\"refused\"}}{}",
                     range);
}

std::vector<AlertRule> disk_and_loss_rules() {
  return {
      {"DiskWritesFailing",
       "sum by (job, instance) (increase(vigia_log_sync_failures_total{customer_id=\"\"}[10m])) > "
       "0 or "
       "sum by (job, instance) (increase(vigia_storage_sweep_failures_total{customer_id=\"\"}"
       "[10m])) > 3 or "  // one may fail while a damaged table is set aside
       "max by (job, instance) (max_over_time(vigia_storage_writable{customer_id=\"\"}[5m])) == 0",
       kNone, kNone, "critical",
       "{{ $labels.job }} ({{ $labels.instance }}) no puede escribir en su disco",
       "{{ $labels.job }} ({{ $labels.instance }}) cannot write to its disk"},
      {"StoredDataIncomplete",
       "max by (instance) (vigia_storage_unsaved_files{customer_id=\"\"}) > 0", kLong, kNone,
       "warning",
       "{{ $labels.instance }} no termina de rescatar filas de archivos dañados: faltan en las "
       "respuestas",
       "{{ $labels.instance }} does not finish saving rows of damaged files: answers lack them"},
      {"DataDropped",
       // A counter that is new begins at what was lost, which is no increase. Where the collector
       // was not looked at ten minutes ago, all of them look new.
       "sum by (instance, exporter, reason) (" + dropped("") + " unless " + dropped(" offset 10m") +
           " and on (instance) up{job=\"otel-collector\"} offset 10m or increase(" +
           dropped("[10m]") + ")) > 0",
       kNone, kNone, "critical",
       "{{ $labels.exporter }} perdió {{ printf \"%.0f\" $value }} datos ya aceptados "
       "({{ $labels.reason }})",
       "{{ $labels.exporter }} lost {{ printf \"%.0f\" $value }} items that had been acknowledged "
       "({{ $labels.reason }})"},
  };
}

std::vector<AlertRule> database_rules() {
  return {
      {"DatabaseNotReadable",
       "sum by (instance) (increase(vigia_monitor_database_failures_total{customer_id=\"\"}[5m])) "
       "> 5",
       kSome, kNone, "critical",
       "vigia-monitor ({{ $labels.instance }}) no puede leer su base de datos: nadie puede entrar",
       "vigia-monitor ({{ $labels.instance }}) cannot read its database: nobody can log in"},
      {"DatabaseFailing",
       // While it cannot even be read, as where its server is away, DatabaseNotReadable says it.
       "sum by (instance) "
       "(increase(vigia_monitor_database_driver_failures_total{customer_id=\"\"}[10m])) > 5 "
       "unless on (instance) sum by (instance) "
       "(increase(vigia_monitor_database_failures_total{customer_id=\"\"}[10m])) > 5",
       kSome, kNone, "critical",
       "La base de datos de vigia-monitor ({{ $labels.instance }}) falla: quizá su disco está "
       "lleno; nadie entra ni cambia nada",
       "The database of vigia-monitor ({{ $labels.instance }}) fails: its disk may be full; nobody "
       "logs in or changes anything"},
  };
}

}  // namespace

std::vector<AlertRule> condition_rules() {
  auto rules = time_and_directory_rules();
  for (auto more : {disk_and_loss_rules(), database_rules()}) {
    for (auto& rule : more) rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace vigia::monitor::alerting
