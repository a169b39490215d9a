#include "services/monitor/alerting/node_rules.hpp"

#include <fmt/format.h>

namespace vigia::monitor::alerting {
namespace {

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

constexpr std::string_view kPushed = "push";
constexpr std::string_view kAsked = "scrape";

}  // namespace

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

RuleGroup node_group(const RuleSettings& settings, AlertRule node_down) {
  const auto of = [](std::string_view reach) { return RuleLabels{{"reach", std::string(reach)}}; };
  const auto customer_places =
      places_outage(settings, "customer_id", "vigia_monitor_customer_places_unknown");
  const auto node_places =
      places_outage(settings, "customer_id, node_id", "vigia_monitor_node_place_unknown");
  return {"node_alerts",
          {{"vigia:own_part_away", own_part_away(settings), {}},
           {"vigia:own_good_seconds", own_good_seconds(settings), {}},
           {"vigia:own_outage", own_outage(settings), of(kPushed)},
           {"vigia:asking_part_away", std::string(kAskingPartAway), {}},
           {"vigia:own_outage", asking_outage(settings), of(kAsked)},
           {"vigia:customer_outage", customer_outage(settings), of(kPushed)},
           {"vigia:customer_outage", customer_places, of(kAsked)},
           {"vigia:node_outage", node_places, of(kAsked)}},
          {{std::string(kNodeAlertsHeld), "vigia:own_outage", Duration::zero(), Duration::zero(),
            "info",
            "Vigía misma falta o acaba de volver: los nodos "
            "{{ if eq $labels.reach \"push\" }}que envían{{ else }}consultados{{ end }} "
            "no se juzgan",
            "Vigía itself is away or has just come back: nodes that "
            "{{ if eq $labels.reach \"push\" }}push{{ else }}are asked{{ end }} are not "
            "judged"},
           std::move(node_down)}};
}

}  // namespace vigia::monitor::alerting
