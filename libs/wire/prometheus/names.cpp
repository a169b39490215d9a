#include "libs/wire/prometheus/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace vigia::wire::prometheus {
namespace {

using UnitWord = std::pair<std::string_view, std::string_view>;

constexpr std::array<UnitWord, 26> kUnits{{
    {"d", "days"},
    {"h", "hours"},
    {"min", "minutes"},
    {"s", "seconds"},
    {"ms", "milliseconds"},
    {"us", "microseconds"},
    {"ns", "nanoseconds"},
    {"By", "bytes"},
    {"KiBy", "kibibytes"},
    {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},
    {"TiBy", "tibibytes"},
    {"KBy", "kilobytes"},
    {"MBy", "megabytes"},
    {"GBy", "gigabytes"},
    {"TBy", "terabytes"},
    {"m", "meters"},
    {"V", "volts"},
    {"A", "amperes"},
    {"J", "joules"},
    {"W", "watts"},
    {"g", "grams"},
    {"Cel", "celsius"},
    {"Hz", "hertz"},
    {"1", ""},
    {"%", "percent"},
}};

constexpr std::array<UnitWord, 7> kPerUnits{{
    {"s", "second"},
    {"m", "minute"},
    {"h", "hour"},
    {"d", "day"},
    {"w", "week"},
    {"mo", "month"},
    {"y", "year"},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_character(char c) { return is_letter(c) || is_digit(c) || c == ':'; }

// What stands between the words is lost on purpose: "a.b", "a_b" and "a__b" become one name, as
// with other translators of OTLP, so that their dashboards fit.
std::vector<std::string> tokens_of(std::string_view name) {
  std::vector<std::string> tokens;
  bool is_inside = false;
  for (const char c : name) {
    const bool is_kept = is_name_character(c);
    if (is_kept && !is_inside) tokens.emplace_back();
    if (is_kept) tokens.back() += c;
    is_inside = is_kept;
  }
  return tokens;
}

template <typename Table>
std::string unit_word(const Table& table, std::string_view unit) {
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  while (!unit.empty() && unit.back() == ' ') unit.remove_suffix(1);
  // UCUM annotations such as {request} are no unit (OpenTelemetry, "Prometheus and OpenMetrics
  // Compatibility", Metric Metadata).
  if (unit.find_first_of("{}") != std::string_view::npos) return "";
  const auto* known = std::find_if(table.begin(), table.end(),
                                   [unit](const UnitWord& u) { return u.first == unit; });
  if (known != table.end()) return std::string(known->second);
  return fmt::format("{}", fmt::join(tokens_of(unit), "_"));
}

void append_if_absent(std::vector<std::string>& tokens, const std::string& word) {
  // "http.request.duration_seconds" with unit s keeps one "seconds".
  if (word.empty() || std::find(tokens.begin(), tokens.end(), word) != tokens.end()) return;
  tokens.push_back(word);
}

void add_unit(std::vector<std::string>& tokens, std::string_view unit) {
  const std::size_t slash = unit.find('/');
  append_if_absent(tokens, unit_word(kUnits, unit.substr(0, slash)));
  if (slash == std::string_view::npos) return;
  const std::string per = unit_word(kPerUnits, unit.substr(slash + 1));
  if (per.empty() || std::find(tokens.begin(), tokens.end(), per) != tokens.end()) return;
  tokens.emplace_back("per");
  tokens.push_back(per);
}

void move_to_end(std::vector<std::string>& tokens, std::string_view word) {
  tokens.erase(std::remove(tokens.begin(), tokens.end(), word), tokens.end());
  tokens.emplace_back(word);
}

/// "1.5e+00" with the fewest digits that read back as the same number.
std::string shortest_scientific(double value) {
  std::array<char, 40> room{};
  const auto end =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::scientific);
  return {room.data(), end.ptr};
}

}  // namespace

std::string metric_name(const MetricNaming& naming) {
  std::vector<std::string> tokens = tokens_of(naming.name);
  if (naming.name.empty()) return "";
  // A name of other characters alone is one `_`, before what the unit and the type add.
  if (tokens.empty()) tokens.emplace_back();
  add_unit(tokens, naming.unit);
  // The type's word comes last whatever the unit has added: _bytes_total, never _total_bytes.
  if (naming.is_counter) move_to_end(tokens, "total");
  if (naming.is_gauge && naming.ratio_suffix && naming.unit == "1") move_to_end(tokens, "ratio");
  std::string name = fmt::format("{}", fmt::join(tokens, "_"));
  return name.empty() || is_digit(name.front()) ? "_" + name : name;
}

std::string label_name(std::string_view key) {
  std::string name;
  name.reserve(key.size() + 4);
  for (const char c : key) {
    if (is_letter(c) || is_digit(c)) {
      name += c;
    } else if (name.empty() || name.back() != '_') {
      name += '_';
    }
  }
  if (name.empty()) return name;
  if (is_digit(name.front()) || is_rule_label(name)) return "key_" + name;
  if (name.front() == '_') return "key" + name;
  return name;
}

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  // Shortest digits; an exponent below 1e-4 and from 1e6 on, of two digits at least: what the
  // OpenMetrics encoder of Prometheus' own client writes, so that `le` is spelled alike everywhere.
  const std::string digits = shortest_scientific(value);  // "1.2345e+06"
  const std::size_t mark = digits.find('e');
  const int exponent = std::stoi(digits.substr(mark + 1));
  if (exponent < -4 || exponent >= 6) {
    return fmt::format("{}e{}{:02}", digits.substr(0, mark), exponent < 0 ? '-' : '+',
                       std::abs(exponent));
  }
  std::string text = fmt::format("{}", value);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

bool is_rule_label(std::string_view label) {
  return label == "severity" || label == "alertname" || label == "alertstate";
}

/// What Prometheus and our own programs write: a customer who could write it too could make a node
/// look alive, or silence an alert.
bool is_reserved_name(std::string_view metric, bool is_agent) {
  return metric == "up" || metric.starts_with("scrape_") || metric.starts_with("ALERTS") ||
         metric.starts_with("otelcol_") || metric.starts_with("vigia_") ||
         metric.starts_with("vigia:") || (!is_agent && metric.starts_with("agent_"));
}

bool is_reserved_job(std::string_view job) {
  return job == "customer-agents" || job == "otel-collector";
}

}  // namespace vigia::wire::prometheus
