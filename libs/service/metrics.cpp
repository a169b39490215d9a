#include "libs/service/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "libs/base/check.hpp"

namespace vigia::service {

namespace {

struct OwnFamily {
  std::string help;
  MetricType type = MetricType::kGauge;
  // std::map: what it holds never moves, so references stay valid.
  std::map<MetricLabels, Counter> counters;
  std::map<MetricLabels, Gauge> gauges;
  std::map<MetricLabels, std::unique_ptr<Histogram>> histograms;
};

struct Collected {
  std::string help;
  MetricType type = MetricType::kGauge;
  std::map<MetricLabels, double> values;
};

std::string escape(std::string_view text, bool quotes_too) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\') {
      out += "\\\\";
    } else if (letter == '\n') {
      out += "\\n";
    } else if (letter == '"' && quotes_too) {
      out += "\\\"";
    } else {
      out += letter;
    }
  }
  return out;
}

std::string value_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

/// A bucket bound as OpenMetrics spells it: "1.0", "2.5", "+Inf".
std::string bound_text(double bound) {
  std::string text = value_text(bound);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string label_text(const MetricLabels& labels, std::string_view bound = "") {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escape(value, true));
  }
  if (!bound.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "" : ",", bound);
  return out.empty() ? "" : "{" + out + "}";
}

/// OpenMetrics wants a counter's samples to end in _total and its family not to; a counter under
/// another name is of unknown type there.
void append_head(std::string& out, std::string_view name, std::string_view help, MetricType type,
                 bool open_metrics) {
  std::string_view type_name = "gauge";
  if (type == MetricType::kHistogram) type_name = "histogram";
  if (type == MetricType::kCounter) {
    type_name = "counter";
    if (open_metrics && name.ends_with("_total")) {
      name.remove_suffix(6);
    } else if (open_metrics) {
      type_name = "unknown";
    }
  }
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(help, open_metrics), name,
                     type_name);
}

void append_histogram(std::string& out, std::string_view name, const MetricLabels& labels,
                      const Histogram& histogram) {
  // The count is the sum of what was read, not a counter beside it: observations go on meanwhile,
  // and +Inf must equal _count.
  const std::vector<std::uint64_t> counts = histogram.counts();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    const std::string bound =
        i < histogram.bounds().size() ? bound_text(histogram.bounds()[i]) : "+Inf";
    out += fmt::format("{}_bucket{} {}\n", name, label_text(labels, bound), total);
  }
  out += fmt::format("{}_sum{} {}\n", name, label_text(labels), value_text(histogram.sum()));
  out += fmt::format("{}_count{} {}\n", name, label_text(labels), total);
}

void append_family(std::string& out, std::string_view name, const OwnFamily& family) {
  for (const auto& [labels, counter] : family.counters) {
    out += fmt::format("{}{} {}\n", name, label_text(labels), counter.value());
  }
  for (const auto& [labels, gauge] : family.gauges) {
    out += fmt::format("{}{} {}\n", name, label_text(labels), value_text(gauge.value()));
  }
  for (const auto& [labels, histogram] : family.histograms) {
    append_histogram(out, name, labels, *histogram);
  }
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {
  CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto index = static_cast<std::size_t>(bound - bounds_.begin());
  // Relaxed: an observation costs two additions on the hot path. Sum and buckets may be read
  // between them; the next scrape has both.
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> counts(bounds_.size() + 1);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  return counts;
}

struct MetricRegistry::Families {
  OwnFamily& family(std::string_view name, std::string_view help, MetricType type) {
    const auto [entry, is_new] = by_name.try_emplace(std::string(name));
    if (is_new) {
      entry->second.help = help;
      entry->second.type = type;
    }
    CHECK(entry->second.type == type);  // one name, one type
    return entry->second;
  }

  mutable std::mutex mutex;
  std::map<std::string, OwnFamily, std::less<>> by_name;
  std::vector<std::function<void(const Emit&)>> collectors;
};

MetricRegistry::MetricRegistry() : families_(std::make_unique<Families>()) {}
MetricRegistry::~MetricRegistry() = default;

Counter& MetricRegistry::counter(std::string_view name, std::string_view help,
                                 MetricLabels labels) {
  const std::lock_guard lock(families_->mutex);
  std::sort(labels.begin(), labels.end());
  return families_->family(name, help, MetricType::kCounter).counters[std::move(labels)];
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::lock_guard lock(families_->mutex);
  std::sort(labels.begin(), labels.end());
  return families_->family(name, help, MetricType::kGauge).gauges[std::move(labels)];
}

Histogram& MetricRegistry::histogram(std::string_view name, std::string_view help,
                                     std::vector<double> bounds, MetricLabels labels) {
  const std::lock_guard lock(families_->mutex);
  std::sort(labels.begin(), labels.end());
  auto& histogram =
      families_->family(name, help, MetricType::kHistogram).histograms[std::move(labels)];
  if (!histogram) histogram = std::make_unique<Histogram>(std::move(bounds));
  return *histogram;
}

void MetricRegistry::on_collect(std::function<void(const Emit&)> collect) {
  const std::lock_guard lock(families_->mutex);
  families_->collectors.push_back(std::move(collect));
}

std::string MetricRegistry::expose(bool open_metrics) const {
  std::vector<std::function<void(const Emit&)>> collectors;
  {
    const std::lock_guard lock(families_->mutex);
    collectors = families_->collectors;
  }
  // Called without the lock: a collector may itself mention a metric.
  std::map<std::string, Collected, std::less<>> collected;
  const Emit emit = [&collected](std::string_view name, std::string_view help, MetricType type,
                                 const MetricLabels& labels, double value) {
    CHECK(type != MetricType::kHistogram);
    Collected& family = collected[std::string(name)];
    family.help = help;
    family.type = type;
    MetricLabels sorted = labels;
    std::sort(sorted.begin(), sorted.end());
    family.values[std::move(sorted)] = value;
  };
  for (const auto& collect : collectors) collect(emit);

  // A family may be both registered and collected; its samples must stand together, under one head.
  std::map<std::string_view, std::string> texts;
  const std::lock_guard lock(families_->mutex);
  for (const auto& [name, family] : families_->by_name) {
    std::string& text = texts[name];
    append_head(text, name, family.help, family.type, open_metrics);
    append_family(text, name, family);
  }
  for (const auto& [name, family] : collected) {
    std::string& text = texts[name];
    if (text.empty()) append_head(text, name, family.help, family.type, open_metrics);
    for (const auto& [labels, value] : family.values) {
      text += fmt::format("{}{} {}\n", name, label_text(labels), value_text(value));
    }
  }
  std::string out;
  for (const auto& [name, text] : texts) out += text;
  if (open_metrics) out += "# EOF\n";
  return out;
}

}  // namespace vigia::service
