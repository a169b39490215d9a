#include "services/monitor/alerting/directory_rules.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace vigia::monitor::alerting {
namespace {

// A copy that failed once in the two hours in which the hourly one is made twice.
std::string copies_fail() {
  constexpr auto kCounters = std::to_array<std::string_view>(
      {"vigia_monitor_database_backup_failures_total",
       "vigia_monitor_database_anchor_failures_total", "vigia_monitor_snapshot_keep_failures_total",
       "vigia_directory_cache_failures_total", "vigia_router_directory_cache_failures_total"});
  std::string expression;
  for (const auto counter : kCounters) {
    expression += fmt::format("{}sum by (job, instance) (increase({}{{customer_id=\"\"}}[2h])) > 0",
                              expression.empty() ? "" : " or ", counter);
  }
  return expression;
}

// Of what stands in for the database while it is away.
std::vector<AlertRule> copy_rules() {
  const Duration none = Duration::zero();
  return {
      {"DirectoryDoubted",
       "max by (job, instance) (vigia_directory_is_doubted{customer_id=\"\"} or "
       "vigia_router_directory_is_doubted{customer_id=\"\"}) > 0",
       none, none, "critical",
       "{{ $labels.job }} ({{ $labels.instance }}) duda de la lista de clientes y tokens de "
       "vigia-monitor y sigue con la anterior: lo revocado desde entonces aún vale ahí",
       "{{ $labels.job }} ({{ $labels.instance }}) doubts vigia-monitor's list of customers and "
       "tokens and goes on with the last: what was revoked since is still good there"},
      {"DirectoryCopyDamaged",
       "max by (job, instance) (vigia_directory_cache_damaged{customer_id=\"\"} or "
       "vigia_router_directory_cache_damaged{customer_id=\"\"}) > 0 and on (job, instance) (time() "
       "- process_start_time_seconds{customer_id=\"\"} < 3600)",
       none, none, "warning",
       "La copia de clientes y tokens de {{ $labels.job }} ({{ $labels.instance }}) estaba dañada "
       "al arrancar; mire el disco",
       "The copy of customers and tokens of {{ $labels.job }} ({{ $labels.instance }}) was damaged "
       "at the start; look at the disk"},
      {"SafetyCopyFailing", copies_fail(), none, none, "warning",
       "{{ $labels.job }} ({{ $labels.instance }}) no puede escribir sus copias de seguridad de "
       "clientes y tokens; mire el disco y su registro",
       "{{ $labels.job }} ({{ $labels.instance }}) cannot write its safety copies of customers and "
       "tokens; look at the disk and its log"},
  };
}

}  // namespace

std::vector<AlertRule> directory_rules() {
  const Duration none = Duration::zero();
  std::vector<AlertRule> rules = {
      {"DatabaseInDoubt",
       "max by (instance) (vigia_monitor_database_in_doubt{customer_id=\"\"}) > 0", none, none,
       "critical",
       "La base de datos de vigia-monitor ({{ $labels.instance }}) está dañada o perdió cambios: "
       "nada se puede cambiar; su /ready dice qué hacer",
       "The database of vigia-monitor ({{ $labels.instance }}) is damaged or lost changes: nothing "
       "can be changed; its /ready says what to do"},
      {"DatabaseRowsLeftOut",
       "max by (instance) (vigia_monitor_database_unreadable_rows{customer_id=\"\"}) > 0", none,
       none, "warning",
       "{{ $value }} filas de la base de datos de vigia-monitor ({{ $labels.instance }}) no se "
       "pueden "
       "leer y se omiten; su registro las nombra",
       "{{ $value }} rows of the database of vigia-monitor ({{ $labels.instance }}) cannot be read "
       "and are left out; its log names them"},
  };
  for (auto& rule : copy_rules()) rules.push_back(std::move(rule));
  return rules;
}

}  // namespace vigia::monitor::alerting
