#include "services/collector/exporters/last_values.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace vigia::collector {
namespace {

using wire::prometheus::FamilyType;

std::string_view type_name(FamilyType type) {
  switch (type) {
    case FamilyType::kCounter:
      return "counter";
    case FamilyType::kGauge:
    case FamilyType::kInfo:
    case FamilyType::kStateset:
      return "gauge";
    case FamilyType::kHistogram:
    case FamilyType::kGaugeHistogram:
      return "histogram";
    case FamilyType::kSummary:
      return "summary";
    case FamilyType::kUnknown:
      break;
  }
  return "untyped";
}

std::string escape_help(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
}

std::string value_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void LastValues::set_received_ms(std::int64_t received_ms) {
  const std::lock_guard lock(mutex_);
  received_ms_ = received_ms;
}

void LastValues::take(const wire::prometheus::SeriesPoint& point) {
  if (!point.histogram.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto known = values_.find(point.series_hash);
  if (is_stale_mark(point.value)) {
    if (known == values_.end()) return;
    forget(*known->second.family);
    values_.erase(known);
  } else if (known == values_.end()) {
    add_series(point);
  } else {
    known->second.value = point.value;
    known->second.received_ms = received_ms_;
  }
}

void LastValues::add_series(const wire::prometheus::SeriesPoint& point) {
  if (values_.size() >= series_max_) {
    ++over_limit_;
    return;
  }
  const wire::prometheus::Family& shown = point.family->family();
  Family& family = families_[shown.name];
  if (family.series++ == 0) {
    family.name = shown.name;
    family.help = shown.help;
    family.type = shown.type;
  }
  values_[point.series_hash] = {&family, point.labels.bytes(), point.value, received_ms_};
}

void LastValues::forget(Family& family) {
  if (--family.series == 0) families_.erase(family.name);
}

void LastValues::expire(std::int64_t before_ms) {
  const std::lock_guard lock(mutex_);
  std::erase_if(values_, [&](const auto& entry) {
    if (entry.second.received_ms >= before_ms) return false;
    forget(*entry.second.family);
    return true;
  });
}

std::string LastValues::expose() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string_view, std::vector<std::string>> lines;  // by family
  for (const auto& [hash, value] : values_) {
    auto labels = wire::prometheus::decode_labels(value.label_bytes);
    if (!labels) continue;
    std::string line(labels->metric_name());
    labels->set(kNameLabel, "");
    if (!labels->empty()) line += to_string(*labels);
    lines[value.family->name].push_back(fmt::format("{} {}\n", line, value_text(value.value)));
  }
  std::string out;
  for (auto& [name, of_family] : lines) {
    const Family& family = families_.find(name)->second;
    if (!family.help.empty()) out += fmt::format("# HELP {} {}\n", name, escape_help(family.help));
    out += fmt::format("# TYPE {} {}\n", name, type_name(family.type));
    std::sort(of_family.begin(), of_family.end());
    for (const std::string& line : of_family) out += line;
  }
  return out;
}

std::uint64_t LastValues::series() const {
  const std::lock_guard lock(mutex_);
  return values_.size();
}

std::uint64_t LastValues::over_limit() const {
  const std::lock_guard lock(mutex_);
  return over_limit_;
}

}  // namespace vigia::collector
