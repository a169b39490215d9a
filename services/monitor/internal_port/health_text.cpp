#include "services/monitor/internal_port/health_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "libs/service/metrics_page.hpp"

namespace vigia::monitor::internal_port {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// What is left of one line.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) { skip_blanks(); }

  bool is_at_end() const { return rest_.empty(); }
  bool is_at(char c) const { return !rest_.empty() && rest_.front() == c; }
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }
  bool skip(char c) {
    if (!is_at(c)) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }
  /// "" where there is none.
  std::string_view name(bool may_have_colons) {
    std::size_t length = 0;
    while (length < rest_.size() &&
           (is_letter(rest_[length]) || (may_have_colons && rest_[length] == ':') ||
            (length > 0 && is_digit(rest_[length])))) {
      ++length;
    }
    return take(length);
  }
  /// Up to the next blank.
  std::string_view word() {
    std::size_t length = 0;
    while (length < rest_.size() && !is_blank(rest_[length])) ++length;
    return take(length);
  }
  /// As it stands between the quotes; nothing where it does not begin or end with one.
  std::optional<std::string_view> quoted() {
    if (!is_at('"')) return std::nullopt;
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;
    const auto value = rest_.substr(1, end - 1);
    take(end + 1);
    return value;
  }

 private:
  std::string_view take(std::size_t length) {
    const auto taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_blanks();
    return taken;
  }

  std::string_view rest_;
};

struct HealthSample {
  std::string_view name;
  std::string_view label_value;  ///< of the label that the name has, as it stands in the text
  double value = 0;
};

// False where what follows is no set of labels. None of the values that are looked for needs an
// escape, so that they are compared as they stand.
bool read_labels(Line& line, HealthSample& sample) {
  const live::AgentMetric* const metric = live::find_agent_metric(sample.name);
  const auto wanted = metric == nullptr ? std::string_view() : metric->label;
  bool is_found = false;
  if (!line.skip('{')) return true;
  while (!line.skip('}')) {
    const auto label = line.name(false);
    if (label.empty() || !line.skip('=')) return false;
    const auto value = line.quoted();
    if (!value || (!line.skip(',') && !line.is_at('}'))) return false;
    if (wanted.empty() || label != wanted) continue;
    if (is_found) return false;
    is_found = true;
    sample.label_value = *value;
  }
  return true;
}

// As Go's ParseFloat, but for numbers in hexadecimal and those that no double holds.
std::optional<double> read_number(std::string_view word) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
    if (word.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto* const end = word.data() + word.size();
  const auto [stop, failure] = std::from_chars(word.data(), end, value);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return value;
}

bool is_time(std::string_view word) {
  std::int64_t value = 0;
  const auto* const end = word.data() + word.size();
  const auto [stop, failure] = std::from_chars(word.data(), end, value);
  return failure == std::errc() && stop == end;
}

// All or nothing of a line: a value whose rest is not understood may be another's (an exemplar, a
// second sample glued to it), and a wrong number is worse than none.
std::optional<HealthSample> read_sample(Line line) {
  HealthSample sample;
  sample.name = line.name(true);
  if (sample.name.empty() || !read_labels(line, sample)) return std::nullopt;
  const auto value = read_number(line.word());
  if (!value) return std::nullopt;
  sample.value = *value;
  if (!line.is_at_end() && !is_time(line.word())) return std::nullopt;
  if (!line.is_at_end()) return std::nullopt;
  return sample;
}

void read_line(std::string_view text, HealthText& health) {
  const Line line(text);
  if (line.is_at_end() || line.is_at('#')) return;
  const auto sample = read_sample(line);
  if (!sample) {
    ++health.lines_malformed;
    return;
  }
  ++health.lines_read;
  switch (health.series.add(sample->name, sample->label_value, sample->value)) {
    case live::AgentHealth::AddOutcome::kTaken:
      return;
    case live::AgentHealth::AddOutcome::kUnknown:
      ++health.lines_unknown;
      return;
    case live::AgentHealth::AddOutcome::kRepeated:
      ++health.lines_repeated;
      return;
  }
}

}  // namespace

std::string health_text(const live::AgentHealth& health) {
  std::string text;
  for (const auto& metric : live::agent_metrics()) {
    bool has_type = false;
    const auto write = [&](std::string_view label_value, const std::string& labels) {
      const auto value = health.value(metric.name, label_value);
      if (!value) return;
      if (!has_type) {
        text +=
            fmt::format("# TYPE {} {}\n", metric.name, metric.is_counter() ? "counter" : "gauge");
      }
      has_type = true;
      text += fmt::format("{}{} {}\n", metric.name, labels, *value);
    };
    if (metric.label.empty()) write("", "");
    for (const auto& known : metric.values) {
      write(known, fmt::format("{{{}=\"{}\"}}", metric.label, known));
    }
  }
  return text;
}

// Line by line over the text as it came, without a copy: 5,000 nodes answer every 15 s, and what
// most lines hold is not kept.
HealthText read_health_text(std::string_view text) {
  HealthText health;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    read_line(text.substr(0, end), health);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return health;
}

net::Response health_response(const live::AgentHealth& health) {
  net::Response response =
      service::metrics_answer(service::MetricsForm::kText, health_text(health));
  response.headers.add("cache-control", "no-store");
  return response;
}

}  // namespace vigia::monitor::internal_port
