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
std::string unit_word(const Table& table, std::string_view unit, bool keeps_utf8 = false) {
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  while (!unit.empty() && unit.back() == ' ') unit.remove_suffix(1);
  // UCUM annotations such as {request} are no unit (OpenTelemetry, "Prometheus and OpenMetrics
  // Compatibility", Metric Metadata).
  if (unit.find_first_of("{}") != std::string_view::npos) return "";
  const auto* known = std::find_if(table.begin(), table.end(),
                                   [unit](const UnitWord& u) { return u.first == unit; });
  if (known != table.end()) return std::string(known->second);
  if (keeps_utf8) return std::string(unit);
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

std::string without_nul(std::string_view text) {
  std::string kept(text);
  std::replace(kept.begin(), kept.end(), '\0', '_');
  return kept;
}

/// Whether the name is that word, or ends with it behind something that is no letter or digit.
bool ends_with_word(std::string_view name, std::string_view word) {
  if (!name.ends_with(word)) return false;
  if (name.size() == word.size()) return true;
  const char before = name[name.size() - word.size() - 1];
  return !is_letter(before) && !is_digit(before) && static_cast<unsigned char>(before) < 0x80;
}

/// "a.total" → "a"; a name that is the word alone stays.
void take_word_off(std::string& name, std::string_view word) {
  if (ends_with_word(name, word) && name.size() > word.size() + 1)
    name.resize(name.size() - word.size() - 1);
}

/// What stands in the name stays as it is; words that end it already are not said again, and their
/// order is unit, per, type.
std::string utf8_name(const MetricNaming& naming) {
  std::string name = without_nul(naming.name);
  if (!adds_suffixes(naming.strategy)) return name;
  std::string_view type;
  if (naming.is_counter) type = "total";
  if (naming.is_gauge && naming.ratio_suffix && naming.unit == "1") type = "ratio";
  const std::size_t slash = naming.unit.find('/');
  const std::string unit = without_nul(unit_word(kUnits, naming.unit.substr(0, slash), true));
  std::string per;
  if (slash != std::string_view::npos)
    per = without_nul(unit_word(kPerUnits, naming.unit.substr(slash + 1), true));
  if (!per.empty()) per = "per_" + per;
  if (!type.empty()) take_word_off(name, type);
  if (!per.empty()) take_word_off(name, per);
  if (!unit.empty() && !ends_with_word(name, unit)) name += "_" + unit;
  if (!per.empty()) name += "_" + per;
  if (!type.empty()) name += fmt::format("_{}", type);
  return name;
}

/// Other characters than those of names, and runs of `_`, as one `_`.
std::string underscored(std::string_view text, bool (*is_kept)(char)) {
  std::string name;
  name.reserve(text.size() + 4);
  for (const char c : text) {
    if (is_kept(c)) {
      name += c;
    } else if (name.empty() || name.back() != '_') {
      name += '_';
    }
  }
  return name;
}

/// "1.5e+00" with the fewest digits that read back as the same number.
std::string shortest_scientific(double value) {
  std::array<char, 40> room{};
  const auto end =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::scientific);
  return {room.data(), end.ptr};
}

}  // namespace

std::optional<Strategy> strategy_named(std::string_view text) {
  for (std::size_t i = 0; i < kStrategies; ++i) {
    if (to_string(static_cast<Strategy>(i)) == text) return static_cast<Strategy>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::kUnderscoresWithSuffixes:
      return "UnderscoreEscapingWithSuffixes";
    case Strategy::kUnderscoresWithoutSuffixes:
      return "UnderscoreEscapingWithoutSuffixes";
    case Strategy::kUtf8WithSuffixes:
      return "NoUTF8EscapingWithSuffixes";
    case Strategy::kNone:
      break;
  }
  return "NoTranslation";
}

Strategy with_suffixes(Strategy strategy, bool are_added) {
  if (keeps_utf8(strategy)) return are_added ? Strategy::kUtf8WithSuffixes : Strategy::kNone;
  return are_added ? Strategy::kUnderscoresWithSuffixes : Strategy::kUnderscoresWithoutSuffixes;
}

std::string metric_name(const MetricNaming& naming) {
  if (naming.name.empty()) return "";
  if (keeps_utf8(naming.strategy)) return utf8_name(naming);
  if (!adds_suffixes(naming.strategy)) {
    const std::string name = underscored(naming.name, is_name_character);
    return is_digit(name.front()) ? "_" + name : name;
  }
  std::vector<std::string> tokens = tokens_of(naming.name);
  // A name of other characters alone is one `_`, before what the unit and the type add.
  if (tokens.empty()) tokens.emplace_back();
  add_unit(tokens, naming.unit);
  // The type's word comes last whatever the unit has added: _bytes_total, never _total_bytes.
  if (naming.is_counter) move_to_end(tokens, "total");
  if (naming.is_gauge && naming.ratio_suffix && naming.unit == "1") move_to_end(tokens, "ratio");
  std::string name = fmt::format("{}", fmt::join(tokens, "_"));
  return name.empty() || is_digit(name.front()) ? "_" + name : name;
}

std::string label_name(std::string_view key, bool keeps_utf8) {
  if (keeps_utf8) {
    std::string name = without_nul(key);
    if (is_rule_label(name)) return "key_" + name;
    return name.starts_with("__") ? "key" + name : name;
  }
  std::string name = underscored(key, [](char c) { return is_letter(c) || is_digit(c); });
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
