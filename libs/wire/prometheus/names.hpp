// Names as Prometheus has them, from names as OpenTelemetry has them (compatibility specification,
// "Metric Metadata" and "Metric Attributes"; R-PM-1 to R-PM-4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::wire::prometheus {

/// What becomes of names, as Prometheus' `otlp.translation_strategy` has it.
enum class Strategy : std::uint8_t {
  kUnderscoresWithSuffixes,     ///< UnderscoreEscapingWithSuffixes
  kUnderscoresWithoutSuffixes,  ///< UnderscoreEscapingWithoutSuffixes
  kUtf8WithSuffixes,            ///< NoUTF8EscapingWithSuffixes
  kNone,                        ///< NoTranslation
};
inline constexpr std::size_t kStrategies = 4;
/// By Prometheus' spelling of them.
std::optional<Strategy> strategy_named(std::string_view text);
std::string_view to_string(Strategy strategy);
constexpr bool keeps_utf8(Strategy strategy) { return strategy >= Strategy::kUtf8WithSuffixes; }
constexpr bool adds_suffixes(Strategy strategy) {
  return strategy == Strategy::kUnderscoresWithSuffixes || strategy == Strategy::kUtf8WithSuffixes;
}
/// That strategy, with or without its suffixes.
Strategy with_suffixes(Strategy strategy, bool are_added);

struct MetricNaming {
  std::string_view name;
  std::string_view unit;    ///< UCUM, as the sender gave it; "" grows no suffix
  bool is_counter = false;  ///< `_total` at the end
  bool is_gauge = false;    ///< `_ratio` at the end where the unit is "1"
  bool ratio_suffix = true;
  Strategy strategy = Strategy::kUnderscoresWithSuffixes;
};

/// "http.server.duration" in "s" → "http_server_duration_seconds". Runs of other characters become
/// one `_`; a leading digit gets a `_` before it; "данные" in "By" → "_bytes". Where the strategy
/// keeps UTF-8: "http.server.duration_seconds", and U+0000, which no store takes, is `_`. Empty for
/// an empty name.
std::string metric_name(const MetricNaming& naming);

/// "k8s.pod/name" → "k8s_pod_name"; runs collapse; a leading digit gets `key_`, a leading
/// underscore `key`, so that no label of a sender begins with `__`; a label of an alert gets `key_`
/// (is_rule_label). With UTF-8 kept the key itself, but for the last two and U+0000.
std::string label_name(std::string_view key, bool keeps_utf8 = false);

/// A number as OpenMetrics spells it in `le` and `quantile`: "1.0", "0.25", "1e+06", "+Inf".
std::string number_text(double value);

/// severity, alertname, alertstate: what Prometheus writes over on each alert. Two series of a
/// customer that differ in one of them would become one alert, and the whole rule fail, for all
/// customers.
bool is_rule_label(std::string_view label);

/// True for what a customer may not make: `up`, `scrape_*`, `ALERTS*`, `otelcol_*`, `vigia_*`, and
/// `agent_*` unless the resource is the agent's own.
bool is_reserved_name(std::string_view metric, bool is_agent);
/// customer-agents, otel-collector.
bool is_reserved_job(std::string_view job);

}  // namespace vigia::wire::prometheus
